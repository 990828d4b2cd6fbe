"""Digests: what a part is, apart from where and when it was made."""

import hashlib
import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, Tuple

CHUNK_BYTES = 1 << 20


def digest_bytes(content: bytes) -> str:
    """Return `sha256:` and the hex digest of the content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def digest_file(path: Path) -> str:
    """Return the digest of a file's content, read in chunks."""
    hasher = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
            hasher.update(chunk)
    return f"sha256:{hasher.hexdigest()}"


def digest_value(value: Any) -> str:
    """Return the digest of a JSON value, independent of the order of its keys."""
    return digest_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode("utf-8"))


def digest_files(files: Iterable[Tuple[str, Path]], digest: Callable[[Path], str] = digest_file) -> str:
    """Return one digest over (name, file) pairs, independent of their order."""
    contents: Dict[str, str] = {name: digest(path) for name, path in files}
    return digest_value(contents)


def files_below(folder: Path) -> Iterator[Tuple[str, Path]]:
    """Yield (relative name, file) for each file below a folder, byte-code caches left out."""
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix(), path
