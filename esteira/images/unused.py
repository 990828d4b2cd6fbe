"""What lies in the layout and no image needs: blobs, and the records of layers whose blob is none."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Set

from esteira.errors import ImageError
from esteira.images.layout import Layout

# The documents that an index, a manifest and a manifest of what refers to an image name.
LISTS = ("manifests", "layers")


def unused_paths(layout: Layout, wanted: Iterable[str]) -> List[Path]:
    """Return what no image of the layout's index needs, nor any of the `wanted` digests of manifests.

    Raises ImageError if a document that is needed is damaged.
    """
    needed: Set[str] = set()
    for digest in [*(entry.digest for entry in layout.entries()), *wanted]:
        needed.update(reach(layout, digest))
    blobs = [path for path in layout.folder.glob("blobs/sha256/*") if f"sha256:{path.name}" not in needed]
    records = [path.parent for path in layout.folder.glob("layers/*/layer.json") if layer_digest(path) not in needed]
    return sorted([*blobs, *records])


def reach(layout: Layout, digest: str) -> Iterator[str]:
    """Yield a digest and those of all that it names, as far as it is here."""
    yield digest
    document = read_document(layout, digest)
    for entry in [document.get("config"), *(entry for name in LISTS for entry in document.get(name) or [])]:
        if isinstance(entry, dict) and "digest" in entry:
            if "manifest" in str(entry.get("mediaType")):
                yield from reach(layout, entry["digest"])
            else:
                yield entry["digest"]


def read_document(layout: Layout, digest: str) -> Dict[str, Any]:
    """Return an index or a manifest; one of another platform, or of an image that is gone, has nothing here."""
    return layout.read(digest) if layout.blob(digest).exists() else {}


def layer_digest(record: Path) -> str:
    try:
        return str(json.loads(record.read_bytes())["digest"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ImageError(f"{record}: is damaged: {error}. Remove {record.parent} and run: make images") from None
