"""The layers that were made, by a key over what each is made of, beside the blobs of an OCI layout.

Some may be known to lie in a registry: they are found by their keys, too, and have no blob here.
"""

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, ContextManager, Iterator, Optional, Sequence

from typing_extensions import Protocol

from esteira.errors import StateError
from esteira.files import telling_os_errors, write_json, write_text
from esteira.images.descriptor import Descriptor
from esteira.images.layers.archive import LayerWriter, Written, with_folders
from esteira.images.layers.conflicts import Files, files_of, merge_equal
from esteira.images.layers.entry import Entry
from esteira.images.layers.key import KEY
from esteira.images.layout import Layout
from esteira.images.media import LAYER
from esteira.locks import locked
from esteira.release.digest import digest_value

# Gives a layer's entries, and keeps open what they are read from.
Opened = Callable[[], ContextManager[Sequence[Entry]]]


@dataclass(frozen=True)
class Layer:
    """A layer, here or elsewhere. `diff_id` is the digest of its tar archive, `key` that of what it is made of."""

    key: str
    name: str
    digest: str
    size_bytes: int
    diff_id: str

    @property
    def descriptor(self) -> Descriptor:
        """How a manifest names it: with its key, so that a later build knows it again without its blob."""
        return Descriptor(LAYER, self.digest, self.size_bytes, annotations={KEY: self.key})


class Elsewhere(Protocol):
    """Layers that an image may refer to, since the registry that it is pushed to has them."""

    def layer(self, key: str) -> Optional[Layer]:
        """Return the layer of a key, None if it is not there."""

    def files(self, key: str) -> Optional[Files]:
        """Return the files of a layer of packages, None if nothing tells them."""

    def are_together(self, keys: Sequence[str]) -> bool:
        """Return whether one image has all these layers, so that they were found to fit together."""


class LayerStore:
    """The layers below a layout's folder. Two builds may use it at once: each layer is made by one of them."""

    def __init__(self, layout: Layout, elsewhere: Optional[Elsewhere] = None) -> None:
        self.layout = layout
        self._elsewhere = elsewhere

    def find(self, key: str, name: str) -> Optional[Layer]:
        """Return the layer of a key, under a name; None if it is gone or was not made, and elsewhere is none."""
        found = self._find_here(key) or (self._elsewhere.layer(key) if self._elsewhere else None)
        return replace(found, name=name) if found else None

    def _find_here(self, key: str) -> Optional[Layer]:
        try:
            layer = Layer(key, **json.loads((self._folder(key) / "layer.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return layer if self.layout.has(layer.descriptor) else None

    def make(self, key: str, name: str, opened: Opened) -> Layer:
        """Return the layer of a key, written of the entries that `opened` gives unless it is there by now.

        Raises ImageError if two packages write one file differently, StateError if the disk is full.
        """
        folder = self._folder(key)
        with telling_os_errors("write", folder):
            folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            return self.find(key, name) or self._write(key, name, opened)

    def knows_files(self, key: str) -> bool:
        """Return whether the files of a layer can be told, or will be, as it is not there yet and made here."""
        if self._elsewhere is None or self._find_here(key) is not None or self._elsewhere.layer(key) is None:
            return True
        return self._elsewhere.files(key) is not None

    def files(self, key: str) -> Files:
        """Return the files of a layer that is there; StateError if their list is lost."""
        if self._elsewhere is not None and self._find_here(key) is None:
            found = self._elsewhere.files(key)
            if found is not None:
                return found
        path = self._folder(key) / "files.json"
        try:
            return {name: (mark, owner) for name, (mark, owner) in json.loads(path.read_bytes()).items()}
        except (OSError, ValueError):
            raise StateError(f"{path}: is lost or damaged. Remove {path.parent} and run: make images") from None

    def is_checked(self, keys: Sequence[str]) -> bool:
        """Return whether these layers were found to fit together."""
        here = self._checked(keys).exists()
        return here or (self._elsewhere is not None and self._elsewhere.are_together(keys))

    def keep_checked(self, keys: Sequence[str]) -> None:
        write_text(self._checked(keys), "")

    def _write(self, key: str, name: str, opened: Opened) -> Layer:
        with self.layout.scratch_file() as path, opened() as entries:
            kept = merge_equal(entries)
            with telling_os_errors("write", path):
                written = write_entries(path, kept)
            # Names may hold bytes of no encoding, which only escapes can tell.
            write_text(self._folder(key) / "files.json", json.dumps(files_of(kept), sort_keys=True))
            self.layout.adopt(path, written.digest)
        record = {
            "name": name,
            "digest": written.digest,
            "size_bytes": written.size_bytes,
            "diff_id": written.diff_id,
        }
        write_json(self._folder(key) / "layer.json", record)
        return Layer(key, name, written.digest, written.size_bytes, written.diff_id)

    def _folder(self, key: str) -> Path:
        return self.layout.folder / "layers" / key.partition(":")[2]

    def _checked(self, keys: Sequence[str]) -> Path:
        return self.layout.folder / "layers" / f"checked-{digest_value(sorted(keys)).partition(':')[2]}"


def write_entries(path: Path, entries: Sequence[Entry]) -> Written:
    """Write a layer's file, the entries sorted and every folder above them in it."""
    with path.open("wb") as stream:
        writer = LayerWriter(stream)
        for entry in with_folders(entries):
            writer.add(entry)
        return writer.finish()


@contextmanager
def given(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Give entries that are in memory."""
    yield entries
