"""An OCI image layout: a folder of blobs that are named by their digests, and an index of what they make up.

Source: image-spec v1.1, image-layout.md. Several processes may use one layout at the same time: a blob
appears by a rename when it is whole, and the index is changed under a lock.
"""

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional

from esteira.cache import scratch_in
from esteira.errors import ImageError
from esteira.files import telling_os_errors, write_bytes
from esteira.images.descriptor import Descriptor, describe_bytes, document_bytes, read_descriptor
from esteira.images.media import INDEX
from esteira.locks import is_locked, locked
from esteira.settings import Settings

TAG = "org.opencontainers.image.ref.name"
MARKER = {"imageLayoutVersion": "1.0.0"}


class Layout:
    """The layout in a folder, which is made on first use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def blob(self, digest: str) -> Path:
        """Return where the blob of a digest lies, or would lie."""
        algorithm, _, hexadecimal = digest.partition(":")
        return self.folder / "blobs" / algorithm / hexadecimal

    def has(self, blob: Descriptor) -> bool:
        """Return whether the blob is here in its full size."""
        try:
            return self.blob(blob.digest).stat().st_size == blob.size_bytes
        except OSError:
            return False

    def add(self, media_type: str, content: bytes) -> Descriptor:
        """Keep a small blob."""
        made = describe_bytes(media_type, content)
        if not self.has(made):
            write_bytes(self.blob(made.digest), content)
        return made

    def add_document(self, media_type: str, document: Dict[str, Any]) -> Descriptor:
        return self.add(media_type, document_bytes(document))

    @contextmanager
    def scratch_file(self) -> Iterator[Path]:
        """Yield a new empty file on the layout's disk, which is removed unless `adopt` took it.

        What killed builds left there goes, too.
        """
        with scratch_in(self.folder) as folder:
            path = folder / "blob"
            with telling_os_errors("write", path):
                path.touch()
            yield path

    def adopt(self, path: Path, digest: str) -> None:
        """Make a file of `scratch_file` the blob of its digest, which the caller has computed."""
        target = self.blob(digest)
        with telling_os_errors("write", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            path.chmod(0o644)
            os.replace(path, target)

    def read(self, digest: str) -> Dict[str, Any]:
        """Return a JSON document; ImageError if it is lost or damaged."""
        path = self.blob(digest)
        try:
            document: Dict[str, Any] = json.loads(path.read_bytes())
        except (OSError, ValueError):
            raise ImageError(f"{path}: is lost or damaged. If it is there, remove it; then run: make images") from None
        return document

    def entries(self) -> List[Descriptor]:
        """Return what the layout's index names, in its order."""
        try:
            index = json.loads((self.folder / "index.json").read_bytes())
            return [read_descriptor(entry) for entry in index["manifests"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ImageError(
                f"{self.folder / 'index.json'}: is no index of an OCI layout: {error}. Remove it and run: make images"
            ) from None

    def tagged(self, tag: str) -> Optional[Descriptor]:
        """Return the entry under a tag, None if there is none."""
        return next((entry for entry in self.entries() if entry.annotations.get(TAG) == tag), None)

    def name(self, entries: Iterable[Descriptor], *, replacing: Iterable[str] = ()) -> None:
        """Put entries into the index, in place of those with the same tag or a digest in `replacing`."""
        self._make()
        with locked(self.folder):
            new = list(entries)
            tags = {entry.annotations.get(TAG) for entry in new} - {None}
            gone = {entry.digest for entry in new} | set(replacing)
            kept = [
                entry for entry in self.entries() if entry.digest not in gone and entry.annotations.get(TAG) not in tags
            ]
            manifests = [entry.document() for entry in [*kept, *new]]
            document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}
            content = document_bytes(document)
            path = self.folder / "index.json"
            if not path.exists() or path.read_bytes() != content:
                write_bytes(path, content)

    def _make(self) -> None:
        marker = self.folder / "oci-layout"
        if not marker.exists():
            write_bytes(marker, document_bytes(MARKER))


@contextmanager
def using(layout: Layout) -> Iterator[None]:
    """Keep what lies in a layout from being collected, as others may do at the same time."""
    folder = layout.folder / "blobs"
    with telling_os_errors("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, shared=True):
        yield


def is_used(layout: Layout) -> bool:
    """Return whether an image is being made or pushed."""
    folder = layout.folder / "blobs"
    return folder.is_dir() and is_locked(folder)


def tag_entry(entry: Descriptor, tag: str) -> Descriptor:
    """Return a descriptor under a tag of a layout's index."""
    return Descriptor(
        entry.media_type,
        entry.digest,
        entry.size_bytes,
        entry.platform,
        {**entry.annotations, TAG: tag},
        entry.artifact_type,
    )


def layout_of(settings: Settings) -> Layout:
    """Return the layout of the environment `local`, where images are made."""
    return Layout(settings.state / "images")
