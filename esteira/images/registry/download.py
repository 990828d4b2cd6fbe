"""Fetching a blob: streamed, hashed while it comes, and gone on with where a connection broke."""

import hashlib
from pathlib import Path
from typing import IO, Dict, Iterator

from esteira.errors import RegistryError
from esteira.files import telling_os_errors
from esteira.images.descriptor import Descriptor
from esteira.images.registry.authorize import pull_scope
from esteira.images.registry.connection import ATTEMPTS, Connection
from esteira.images.registry.refusals import AGAIN

CHUNK_BYTES = 256 << 10


def fetch_blob(connection: Connection, repository: str, blob: Descriptor, path: Path) -> None:
    """Write a blob into a file. Raises RegistryError, and leaves no file, if it has not the digest and size."""
    try:
        with telling_os_errors("write", path), path.open("wb") as stream:
            Download(connection, repository, blob).into(stream)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class Download:
    """One blob on its way."""

    def __init__(self, connection: Connection, repository: str, blob: Descriptor) -> None:
        self._connection = connection
        self._repository = repository
        self._blob = blob
        self._subject = f"{connection.host}/{repository}@{blob.digest}"
        self._hasher = hashlib.sha256()
        self._got_bytes = 0

    def into(self, stream: IO[bytes]) -> None:
        import requests

        fruitless = 0
        while True:
            before_bytes = self._got_bytes
            try:
                for chunk in self._chunks(stream):
                    self._take(chunk, stream)
            except requests.RequestException:
                pass  # told from the size: an answer may also just end
            if self._got_bytes == self._blob.size_bytes:
                break
            fruitless = 0 if self._got_bytes > before_bytes else fruitless + 1
            if fruitless == ATTEMPTS:
                raise RegistryError(
                    f"{self._subject}: the connection breaks after {self._got_bytes} of "
                    f"{self._blob.size_bytes} bytes, {ATTEMPTS} times. Run the command again."
                )
            self._connection.pause(fruitless)
        digest = f"sha256:{self._hasher.hexdigest()}"
        if digest != self._blob.digest:
            raise wrong_bytes(self._subject, f"bytes with the digest {digest}")

    def _chunks(self, stream: IO[bytes]) -> Iterator[bytes]:
        """Yield what is still to come; a registry that knows no ranges begins again."""
        headers: Dict[str, str] = {"Accept-Encoding": "identity"}
        if self._got_bytes:
            headers["Range"] = f"bytes={self._got_bytes}-"
        with self._connection.send(
            "GET",
            f"/v2/{self._repository}/blobs/{self._blob.digest}",
            scopes=(pull_scope(self._repository),),
            subject=self._subject,
            expected=(200, 206),
            headers=headers,
            stream=True,
        ) as response:
            if response.status_code == 200 and self._got_bytes:
                stream.seek(0)
                stream.truncate()
                self._hasher, self._got_bytes = hashlib.sha256(), 0
            yield from response.iter_content(CHUNK_BYTES)

    def _take(self, chunk: bytes, stream: IO[bytes]) -> None:
        if self._got_bytes + len(chunk) > self._blob.size_bytes:
            raise wrong_bytes(self._subject, f"more than its {self._blob.size_bytes} bytes")
        stream.write(chunk)
        self._hasher.update(chunk)
        self._got_bytes += len(chunk)


def wrong_bytes(subject: str, served: str) -> RegistryError:
    return RegistryError(
        f"{subject}: the registry serves {served}. Expected the bytes of the digest; nothing of them was kept.\n"
        f"{AGAIN} If it stays so, do not trust this registry or what lies between."
    )
