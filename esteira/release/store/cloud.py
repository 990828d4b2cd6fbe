"""A store that is a bucket of Cloud Storage.

Generations and preconditions are Cloud Storage's own. The client is imported where it is first needed,
since that takes half a second; it reads STORAGE_EMULATOR_HOST itself, and is anonymous there.
https://cloud.google.com/storage/docs/request-preconditions
"""

import base64
import io
import secrets
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any, ContextManager, Dict, Iterable, List, NamedTuple, Optional, Tuple

from esteira.files import telling_os_errors
from esteira.release.store.cloud_errors import telling_cloud_errors
from esteira.release.store.interface import ConflictError, Entry, Stored
from esteira.release.store.names import changed_error, checked_name
from esteira.release.store.parallel import in_parallel
from esteira.settings import Environment

# Larger files are sent in pieces of this size, each of which is sent again if the connection breaks.
CHUNK_BYTES = 8 << 20
RETRY_S = 60.0
TIMEOUT_S = (10, 60)  # to connect, and between two pieces of an answer
PAGE_OBJECTS = 1000  # the most that one answer of a listing holds
FIELDS = "items(name,size,crc32c),nextPageToken"
CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".patch": "text/plain; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}


class Content(NamedTuple):
    """What Cloud Storage tells of an object's content. https://cloud.google.com/storage/docs/data-validation"""

    size_bytes: int
    crc32c: str


class CloudStore:
    """Objects in the environment's bucket, below the pipeline's name.

    Requests that fail in passing are repeated for `retry_s` seconds.
    """

    def __init__(self, environment: Environment, pipeline: str, *, retry_s: float = RETRY_S) -> None:
        self._environment = environment
        self._pipeline = pipeline
        self._retry_s = retry_s
        self._bucket_seen = False

    @property
    def uri(self) -> str:
        return f"gs://{self._environment.bucket}/{self._pipeline}"

    def read(self, name: str) -> Optional[Stored]:
        with self._telling("read", name):
            from google.api_core.exceptions import NotFound

            blob = self._blob(name)
            try:
                content = blob.download_as_bytes(**self._request)
            except NotFound:
                self._check_bucket()
                return None
            return Stored(content, blob.generation)

    def write(self, name: str, content: bytes, *, if_generation: Optional[int] = None) -> int:
        with self._telling("write", name):
            from google.api_core.exceptions import PreconditionFailed

            blob = self._blob(name, content_of(io.BytesIO(content)))
            blob.cache_control = "no-cache"
            blob.metadata = {"writer": secrets.token_hex(8)}
            try:
                blob.upload_from_string(
                    content, content_type(name), if_generation_match=if_generation, **self._request
                )
            except PreconditionFailed:
                return self._written_before(name, blob.metadata)
            return int(blob.generation)

    def lay_down(self, prefix: str, files: Iterable[Tuple[str, Path]]) -> None:
        known = [(checked_name(f"{prefix}/{name}", self.uri), path) for name, path in sorted(files)]
        there = self._contents(prefix)
        in_parallel(lambda file: self._lay(*file, there.get(file[0])), known)

    def list(self, prefix: str) -> List[Entry]:
        return sorted(Entry(name, content.size_bytes) for name, content in self._contents(prefix).items())

    def delete(self, names: Iterable[str]) -> None:
        in_parallel(self._delete, [checked_name(name, self.uri) for name in names])

    @cached_property
    def _bucket(self) -> Any:
        from google.cloud import storage

        return storage.Client(project=self._environment.project).bucket(self._environment.bucket)

    @cached_property
    def _request(self) -> Dict[str, Any]:
        from google.cloud.storage.retry import DEFAULT_RETRY

        return {"retry": DEFAULT_RETRY.with_timeout(self._retry_s), "timeout": TIMEOUT_S}

    def _check_bucket(self) -> None:
        """Raise NotFound if there is no bucket, which an object that is not found does not tell.

        By a listing, since the role roles/storage.objectAdmin may not look at a bucket itself.
        """
        if not self._bucket_seen:
            next(iter(self._bucket.client.list_blobs(self._bucket, max_results=1, **self._request)), None)
            self._bucket_seen = True

    def _telling(self, what: str, name: str) -> ContextManager[None]:
        return telling_cloud_errors(what, f"{self.uri}/{name}", self._environment)

    def _blob(self, name: str, content: Optional[Content] = None) -> Any:
        """Return the client's handle of an object; with `content`, the server takes no other one."""
        blob = self._bucket.blob(
            f"{self._pipeline}/{checked_name(name, self.uri)}", chunk_size=CHUNK_BYTES if content else None
        )
        if content:
            blob.crc32c = content.crc32c
        return blob

    def _written_before(self, name: str, metadata: Dict[str, str]) -> int:
        """Return the generation of our own write, if it was done and only its answer was lost.

        The client then repeats the request, which fails for the generation that it made itself.
        """
        there = self._bucket.get_blob(f"{self._pipeline}/{name}", **self._request)
        if there is None or there.metadata != metadata:
            raise ConflictError(
                f"{self.uri}/{name}: was changed by somebody else meanwhile. Run the command again."
            )
        return int(there.generation)

    def _contents(self, prefix: str) -> Dict[str, Content]:
        """Return what lies below a prefix; markers of folders, which end in `/`, are no objects here."""
        below = f"{self._pipeline}/{checked_name(prefix, self.uri)}/" if prefix else f"{self._pipeline}/"
        with self._telling("list", prefix):
            blobs = self._bucket.client.list_blobs(
                self._bucket, prefix=below, fields=FIELDS, page_size=PAGE_OBJECTS, **self._request
            )
            return {
                blob.name[len(self._pipeline) + 1 :]: Content(blob.size, blob.crc32c)
                for blob in blobs
                if not blob.name.endswith("/")
            }

    def _lay(self, name: str, path: Path, there: Optional[Content]) -> None:
        with telling_os_errors("read", path):
            stream = path.open("rb")
        with stream:
            content = content_of(stream)
            if (there or self._send(name, content, stream)) != content:
                raise changed_error(f"{self.uri}/{name}")

    def _send(self, name: str, content: Content, stream: IO[bytes]) -> Content:
        """Upload an object if there is none yet, and return what lies there then."""
        with self._telling("write", name):
            from google.api_core.exceptions import PreconditionFailed

            blob = self._blob(name, content)
            stream.seek(0)
            try:
                blob.upload_from_file(
                    stream,
                    size=content.size_bytes,
                    content_type=content_type(name),
                    if_generation_match=0,
                    **self._request,
                )
            except PreconditionFailed:
                blob.reload(**self._request)
            return Content(blob.size, blob.crc32c)

    def _delete(self, name: str) -> None:
        with self._telling("remove", name):
            from google.api_core.exceptions import NotFound

            try:
                self._blob(name).delete(**self._request)
            except NotFound:
                return


def content_of(stream: IO[bytes]) -> Content:
    """Return size and checksum of what a stream holds, read in chunks."""
    import google_crc32c

    checksum, size_bytes = google_crc32c.Checksum(), 0
    for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
        checksum.update(chunk)
        size_bytes += len(chunk)
    return Content(size_bytes, base64.b64encode(checksum.digest()).decode("ascii"))


def content_type(name: str) -> str:
    return CONTENT_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
