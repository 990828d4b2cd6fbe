"""What Cloud Storage tells and is told of an object's content."""

import base64
import json
import os
import re
import secrets
import sys
from pathlib import PurePosixPath
from types import ModuleType
from typing import IO, Any, Dict, NamedTuple, Tuple

# Files are read, and sent if they are larger, in pieces of this size.
CHUNK_BYTES = 8 << 20
CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".patch": "text/plain; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}


class Content(NamedTuple):
    """Size and checksum of an object. https://cloud.google.com/storage/docs/data-validation"""

    size_bytes: int
    crc32c: str


def content_of(stream: IO[bytes]) -> Content:
    """Return size and checksum of what a stream holds, read in chunks."""
    checksum, size_bytes = new_checksum(), 0
    for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
        checksum.update(chunk)
        size_bytes += len(chunk)
    return Content(size_bytes, base64.b64encode(checksum.digest()).decode("ascii"))


def new_checksum() -> Any:
    """Return a google_crc32c.Checksum.

    That package imports pkg_resources, which takes as long as all else of a short command, only to find a
    library that Windows needs; elsewhere an empty module stands for the one of its modules that does.
    """
    if os.name != "nt":
        sys.modules.setdefault("google_crc32c.__config__", ModuleType("google_crc32c.__config__"))
    import google_crc32c

    return google_crc32c.Checksum()


def content_in(resource: Dict[str, Any]) -> Content:
    """Return what an object's resource tells. https://cloud.google.com/storage/docs/json_api/v1/objects#resource"""
    return Content(int(resource["size"]), str(resource.get("crc32c", "")))


def told_crc32c(hashes: str) -> str:
    """Return the checksum in a header x-goog-hash, such as crc32c=n03x6A==,md5=...; "" if there is none."""
    found = re.search(r"crc32c=([A-Za-z0-9+/=]+)", hashes)
    return found[1] if found else ""


def content_type(name: str) -> str:
    return CONTENT_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")


def multipart(resource: Dict[str, Any], content: bytes) -> Tuple[bytes, str]:
    """Return an upload's body in two parts, the resource and the content, and the body's type.

    https://cloud.google.com/storage/docs/uploading-objects#rest-upload-objects
    """
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(resource)}\r\n"
        f"--{boundary}\r\nContent-Type: {content_type(resource['name'])}\r\n\r\n"
    )
    body = b"".join((head.encode("ascii"), content, f"\r\n--{boundary}--\r\n".encode("ascii")))
    return body, f"multipart/related; boundary={boundary}"
