"""The repository's files for an image: of a frozen source, or of the workspace of a build."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Dict, List, Mapping

from esteira.errors import ImageError, ProgramError
from esteira.git import LINK, git_environment
from esteira.images.layers.code import Code
from esteira.release.links import check_entries
from esteira.release.partition import files_of
from esteira.source import Source

PART = "image"
TIMEOUT_S = 600


def code_of_source(source: Source) -> Code:
    """Return the files of the part `image` in a frozen source, read from git and not from the disk.

    Raises SourceError for a submodule or a link that leads out of the part.
    """
    files = files_of(PART, source.files, default_data=True)
    check_entries(source, PART, files)
    return Code(files, lambda paths: read_blobs(source, list(paths)))


def code_of_workspace(root: Path, files: Mapping[str, str]) -> Code:
    """Return the files of a listing of inputs, read from a folder; ImageError where one is another than listed."""
    return Code(files, lambda paths: {path: read_listed(root, path, files[path]) for path in paths})


def read_blobs(source: Source, paths: List[str]) -> Dict[str, bytes]:
    """Return the content of files of a source, all through one git. https://git-scm.com/docs/git-cat-file"""
    ids = [source.files[path].split(" ")[1] for path in paths]
    completed = subprocess.run(
        ["git", "cat-file", "--batch"],
        cwd=source.root,
        env=git_environment(source.variables, ()),
        input="".join(f"{blob}\n" for blob in ids).encode("ascii"),
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if completed.returncode:
        message = completed.stderr.decode("utf-8", "replace").strip()
        raise ProgramError(f"git cat-file --batch\nleft with status {completed.returncode}:\n{message}")
    return dict(zip(paths, split_batch(completed.stdout)))


def split_batch(output: bytes) -> List[bytes]:
    """Return the contents in the output of git cat-file: a line "id type size", the content, a line break."""
    contents, place = [], 0
    while place < len(output):
        end = output.index(b"\n", place)
        size = int(output[place:end].split(b" ")[2])
        contents.append(output[end + 1 : end + 1 + size])
        place = end + 1 + size + 1
    return contents


def read_listed(root: Path, path: str, entry: str) -> bytes:
    mode, _, blob = entry.partition(" ")
    place = root / path
    try:
        content = os.fsencode(os.readlink(place)) if mode == LINK else place.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}. Run the deploy again.") from None
    if blob_id(content, len(blob)) != blob:
        raise ImageError(
            f"{path}: is not what it was when the deploy began. Run the deploy again.\n"
            "If it says so again, .gitattributes changes the file on its way (eol, ident, filter): "
            "expected none of them for what an image holds."
        )
    return content


def blob_id(content: bytes, digits: int) -> str:
    """Return git's name for a content: SHA-1, or SHA-256 in repositories with 64 digits."""
    hasher = hashlib.sha256() if digits == 64 else hashlib.sha1()  # noqa: S324, as git names it
    hasher.update(b"blob %d\0" % len(content))
    hasher.update(content)
    return hasher.hexdigest()
