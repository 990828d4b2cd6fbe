"""Copying a model from Cloud Storage to this machine, each file checked against what the bucket says of it.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

import base64
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Dict, Tuple
from urllib.parse import quote

from esteira.errors import ServingError
from esteira.google.api import Api
from esteira.release.store.parallel import in_parallel

if TYPE_CHECKING:
    import requests

SERVICE = "storage"
SCHEME = "gs://"
FIELDS = "items(name,size,crc32c,generation),nextPageToken"
ATTEMPTS = 3
PIECE_BYTES = 8 << 20


def download_model(api: Api, uri: str, folder: Path) -> int:
    """Copy all that lies below a gs:// URI into a folder and return the number of bytes.

    Raises ServingError if nothing lies there or a file does not arrive whole, GoogleError if it can't be read.
    """
    bucket, prefix = split_uri(uri)
    what = f"list {uri}"
    query = {"prefix": prefix, "fields": FIELDS}
    found = list(api.pages(what, SERVICE, f"b/{quote(bucket, safe='')}/o", "items", query))
    # Markers of folders end in a slash, and hold nothing.
    files = {entry["name"]: entry for entry in found if not entry["name"].endswith("/")}
    if not files:
        raise ServingError(f"{uri}: nothing lies there. Expected a SavedModel's folder. To push one: make deploy-full")
    in_parallel(partial(download_file, api, bucket, prefix, folder), files.values())
    return sum(int(entry["size"]) for entry in files.values())


def split_uri(uri: str) -> Tuple[str, str]:
    """Return bucket and prefix, which ends in a slash unless it is empty. Raises ServingError."""
    bucket, _, prefix = uri[len(SCHEME) :].partition("/")
    if not uri.startswith(SCHEME) or not bucket:
        raise ServingError(f"{uri}: is no place in Cloud Storage. Expected gs://bucket/folder")
    return bucket, prefix.rstrip("/") + "/" if prefix.strip("/") else ""


def download_file(api: Api, bucket: str, prefix: str, folder: Path, entry: Dict[str, str]) -> None:
    name = entry["name"]
    target = folder / checked_path(name[len(prefix) :], f"{SCHEME}{bucket}/{name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(ATTEMPTS):
        if write_pieces(api, bucket, entry, target) == entry["crc32c"]:
            return
    raise ServingError(
        f"{SCHEME}{bucket}/{name}: arrived otherwise than it lies there, {ATTEMPTS} times.\n"
        f"Expected {entry['size']} bytes with the CRC32C {entry['crc32c']}. Deploy the model again: make deploy"
    )


def write_pieces(api: Api, bucket: str, entry: Dict[str, str], target: Path) -> str:
    """Write an object to a file, a piece at a time, and return its CRC32C as Cloud Storage writes it."""
    import google_crc32c

    found, size_bytes = google_crc32c.Checksum(), int(entry["size"])
    with target.open("wb") as stream:
        for start in range(0, size_bytes, PIECE_BYTES):
            piece = fetch(api, bucket, entry, start, min(start + PIECE_BYTES, size_bytes) - 1)
            found.update(piece)
            stream.write(piece)
    return base64.b64encode(found.digest()).decode("ascii")


def fetch(api: Api, bucket: str, entry: Dict[str, str], first: int, last: int) -> bytes:
    """Return the bytes of an object from `first` to `last`. Raises GoogleError."""
    send = partial(
        api.request,
        SERVICE,
        "GET",
        f"b/{quote(bucket, safe='')}/o/{quote(entry['name'], safe='')}",
        query={"alt": "media", "generation": entry["generation"]},
        headers={"Accept-Encoding": "identity", "Range": f"bytes={first}-{last}"},
    )
    what = f"read {SCHEME}{bucket}/{entry['name']}"
    response: requests.Response = api.repeated(what, send, True)
    if response.status_code not in (200, 206):
        api.read(what, response)
    return response.content


def checked_path(relative: str, uri: str) -> PurePosixPath:
    """Return a path below the folder; ServingError for a name that would leave it."""
    path = PurePosixPath(relative)
    if not relative or path.is_absolute() or ".." in path.parts or "\0" in relative:
        raise ServingError(f"{uri}: is no name of a model's file. Remove it, and deploy the model again: make deploy")
    return path
