"""A store that is a bucket of Cloud Storage.

Generations and preconditions are Cloud Storage's own.
https://cloud.google.com/storage/docs/request-preconditions
"""

import io
import os
import secrets
from pathlib import Path
from typing import IO, ContextManager, Dict, Iterable, List, Optional, Tuple

from esteira.files import telling_os_errors
from esteira.google.api import RETRY_S, Api, Json
from esteira.google.refusals import ChangedError, NotFoundError
from esteira.release.store.cloud_errors import damaged_error, telling_cloud_errors
from esteira.release.store.content import CHUNK_BYTES, Content, content_in, content_of, told_crc32c
from esteira.release.store.interface import ABSENT, ConflictError, Entry, Stored
from esteira.release.store.names import changed_error, checked_name
from esteira.release.store.objects import Objects
from esteira.release.store.parallel import in_parallel
from esteira.settings import Environment


class CloudStore:
    """Objects in the environment's bucket, below the pipeline's name.

    Without `api`, which has a patience of its own, requests that fail in passing are repeated for `retry_s` seconds.
    """

    def __init__(
        self, environment: Environment, pipeline: str, api: Optional[Api] = None, *, retry_s: float = RETRY_S
    ) -> None:
        self._environment = environment
        self._pipeline = pipeline
        api = api or Api(environment.project, environment.region, os.environ, retry_s=retry_s)
        self._objects = Objects(api, environment.bucket)
        self._bucket_seen = False

    @property
    def uri(self) -> str:
        return f"gs://{self._environment.bucket}/{self._pipeline}"

    def read(self, name: str) -> Optional[Stored]:
        place = self._place(name)
        with self._telling("read", name):
            try:
                answer = self._objects.read(place)
            except NotFoundError:
                self._check_bucket()
                return None
        self._bucket_seen = True
        content, generation = answer.content, int(answer.headers["x-goog-generation"])
        told, came = told_crc32c(answer.headers.get("x-goog-hash", "")), content_of(io.BytesIO(content)).crc32c
        if told not in ("", came):
            raise damaged_error(f"{self.uri}/{name}", told, came)
        return Stored(content, generation)

    def write(self, name: str, content: bytes, *, if_generation: Optional[int] = None) -> int:
        resource = self._resource(name, content_of(io.BytesIO(content)))
        resource.update(cacheControl="no-cache", metadata={"writer": secrets.token_hex(8)})
        with self._telling("write", name):
            try:
                made = self._objects.insert(resource, content, if_generation)
            except ChangedError:
                made = self._written_before(name, resource)
            return int(made["generation"])

    def lay_down(self, prefix: str, files: Iterable[Tuple[str, Path]]) -> None:
        known = [(checked_name(f"{prefix}/{name}", self.uri), path) for name, path in sorted(files)]
        there = self._contents(prefix)
        in_parallel(lambda file: self._lay(*file, there.get(file[0])), known)

    def list(self, prefix: str) -> List[Entry]:
        return sorted(Entry(name, content.size_bytes) for name, content in self._contents(prefix).items())

    def delete(self, names: Iterable[str]) -> None:
        in_parallel(self._delete, [checked_name(name, self.uri) for name in names])

    def _check_bucket(self) -> None:
        """Raise NotFoundError if there is no bucket, which an object that is not found does not tell."""
        if not self._bucket_seen:
            self._objects.any()
            self._bucket_seen = True

    def _telling(self, what: str, name: str) -> ContextManager[None]:
        return telling_cloud_errors(what, f"{self.uri}/{name}", self._environment)

    def _place(self, name: str) -> str:
        """Return an object's name in the bucket; StateError for a name that leaves the store."""
        return f"{self._pipeline}/{checked_name(name, self.uri)}"

    def _resource(self, name: str, content: Content) -> Json:
        """Return what an object is to be; the server takes no other content for it."""
        return {"name": self._place(name), "crc32c": content.crc32c}

    def _written_before(self, name: str, resource: Json) -> Json:
        """Return our own write, if it was done and only its answer was lost.

        The request was then repeated, and failed for the generation that it had made itself.
        """
        try:
            there = self._objects.resource(resource["name"])
        except NotFoundError:
            there = {}
        if there.get("metadata") != resource["metadata"]:
            raise ConflictError(f"{self.uri}/{name}: was changed by somebody else meanwhile. Run the command again.")
        return there

    def _contents(self, prefix: str) -> Dict[str, Content]:
        """Return what lies below a prefix; markers of folders, which end in `/`, are no objects here."""
        below = f"{self._place(prefix)}/" if prefix else f"{self._pipeline}/"
        with self._telling("list", prefix):
            found = self._objects.contents(below)
        self._bucket_seen = True
        return {name[len(self._pipeline) + 1 :]: found[name] for name in found if not name.endswith("/")}

    def _lay(self, name: str, path: Path, there: Optional[Content]) -> None:
        with telling_os_errors("read", path):
            stream = path.open("rb")
        with stream:
            content = content_of(stream)
            if (there or self._send(name, content, stream)) != content:
                raise changed_error(f"{self.uri}/{name}")

    def _send(self, name: str, content: Content, stream: IO[bytes]) -> Content:
        """Upload an object if there is none yet, and return what lies there then."""
        resource = self._resource(name, content)
        stream.seek(0)
        with self._telling("write", name):
            try:
                if content.size_bytes > CHUNK_BYTES:
                    return content_in(self._objects.insert_large(resource, stream, content.size_bytes))
                return content_in(self._objects.insert(resource, stream.read(), ABSENT))
            except ChangedError:
                return content_in(self._objects.resource(resource["name"]))

    def _delete(self, name: str) -> None:
        with self._telling("remove", name):
            try:
                self._objects.remove(self._place(name))
            except NotFoundError:
                return
