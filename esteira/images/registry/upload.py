"""Sending a blob: streamed from its file, and gone on with where a connection broke.

Source: distribution-spec v1.1, pushing blobs. One PATCH carries the whole blob, since Artifact Registry
takes no chunks; only what goes on after a cut says where it begins. Distribution 2.8, which many registries
run on, forgets an upload that was cut: there the blob is sent again from its start.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Dict, Iterator, NamedTuple, Optional, Tuple
from urllib.parse import urljoin

from esteira.errors import ImageError, RegistryError
from esteira.files import telling_os_errors
from esteira.images.descriptor import Descriptor
from esteira.images.registry.authorize import Scopes, pull_scope, push_scope
from esteira.images.registry.connection import ATTEMPTS, Connection
from esteira.images.registry.refusals import AGAIN, CutError, UnreachableError, said

if TYPE_CHECKING:
    import requests

# Each must be sent within the time that a connection may take to open.
CHUNK_BYTES = 64 << 10
# What a registry may take to write and hash a large blob before it answers.
TAKE_S = 300
RANGE = re.compile(r"(?:bytes=)?0-(\d+)")


class LostError(ImageError):
    """A blob is neither in the layout nor, any more, in the registry that an image refers to it in."""


class Sent(NamedTuple):
    """How a blob came into a repository: bytes of its content that were sent, or mounted."""

    bytes_sent: int
    mounted: bool = False


class Part:
    """A file from an offset on, as requests sends it: with a length, in chunks, counted."""

    def __init__(self, path: Path, offset: int, size_bytes: int) -> None:
        self._path = path
        self._offset = offset
        self._length = size_bytes - offset
        self.sent_bytes = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        with telling_os_errors("read", self._path), self._path.open("rb") as stream:
            stream.seek(self._offset)
            self.sent_bytes = 0
            while self.sent_bytes < self._length:
                chunk = stream.read(min(CHUNK_BYTES, self._length - self.sent_bytes))
                if not chunk:
                    raise ImageError(f"{self._path}: became shorter while it was sent. Run: make images")
                yield chunk
                self.sent_bytes += len(chunk)


class Upload:
    """One blob on its way into a repository."""

    def __init__(self, connection: Connection, repository: str, path: Path, blob: Descriptor) -> None:
        self._connection = connection
        self._repository = repository
        self._path = path
        self._blob = blob
        self._subject = f"{connection.host}/{repository}@{blob.digest}"
        self._scopes: Scopes = (push_scope(repository),)

    def mount(self, source: str) -> Optional[str]:
        """Take the blob over from another repository and return None, or return where it can be sent to instead.

        A registry that cannot do so begins an upload; one that refuses is told by an empty text.
        """
        try:
            response = self._connection.send(
                "POST",
                f"/v2/{self._repository}/blobs/uploads/",
                scopes=(push_scope(self._repository), pull_scope(source)),
                subject=self._subject,
                expected=(201, 202),
                params={"mount": self._blob.digest, "from": source},
            )
        except UnreachableError:
            raise
        except RegistryError:
            return ""
        return None if response.status_code == 201 else self._location(response.headers.get("Location", ""))

    def send(self, location: str = "") -> Sent:
        """Send the blob to an upload that was begun, or to a new one, and return how much was sent."""
        if not is_whole(self._path, self._blob):
            raise LostError(f"{self._path}: is lost or damaged. Run: make images")
        location, offset, sent_bytes = location or self._begin(), 0, 0
        for attempt in range(ATTEMPTS):
            part = Part(self._path, offset, self._blob.size_bytes)
            try:
                location = self._send_part(location, part, offset)
                sent_bytes += part.sent_bytes
                break
            except CutError as error:
                sent_bytes += part.sent_bytes
                if attempt == ATTEMPTS - 1:
                    raise RegistryError(f"{self._subject}: cannot be sent: {error}\n{AGAIN}") from None
                self._connection.pause(attempt)
                location, offset = self._resume(location)
        self._finish(location)
        return Sent(sent_bytes)

    def cancel(self, location: str) -> None:
        """Tell the registry that nothing will come; it forgets the upload by itself where it does not understand."""
        self._ask("DELETE", location)

    def _begin(self) -> str:
        response = self._connection.send(
            "POST",
            f"/v2/{self._repository}/blobs/uploads/",
            scopes=self._scopes,
            subject=self._subject,
            expected=(202,),
        )
        return self._location(response.headers.get("Location", ""))

    def _send_part(self, location: str, part: Part, offset: int) -> str:
        headers: Dict[str, str] = {"Content-Type": "application/octet-stream"}
        if offset:
            headers["Content-Range"] = f"{offset}-{self._blob.size_bytes - 1}"
        response = self._connection.send(
            "PATCH",
            location,
            scopes=self._scopes,
            subject=self._subject,
            expected=(201, 202, 204, 404, 416),
            headers=headers,
            body=part if len(part) else b"",
            once=True,
            read_s=TAKE_S,
        )
        if response.status_code in (404, 416):
            raise CutError(f"the registry does not know the upload in this state ({response.status_code})")
        return self._location(response.headers.get("Location", ""), location)

    def _resume(self, location: str) -> Tuple[str, int]:
        """Return where to go on and from which byte: what the upload has, or a new one from the start."""
        response = self._ask("GET", location)
        held = RANGE.fullmatch(response.headers.get("Range", "")) if response else None
        # 0-0 is both one byte and, with distribution, none.
        if response and held and 0 < int(held[1]) < self._blob.size_bytes:
            return self._location(response.headers.get("Location", ""), location), int(held[1]) + 1
        return self._begin(), 0

    def _finish(self, location: str) -> None:
        mark = "&" if "?" in location else "?"
        response = self._connection.send(
            "PUT",
            f"{location}{mark}digest={self._blob.digest}",
            scopes=self._scopes,
            subject=self._subject,
            expected=(201, 202, 204, 400, 404),
            read_s=TAKE_S,
        )
        if response.status_code == 400:
            raise RegistryError(
                f"{self._subject}: the registry does not take what was sent for it "
                f"({response.status_code} {response.reason}{said(response)}).\n"
                f"Expected bytes of that digest in {self._path}. Remove the file and run: make images"
            )
        # A PUT that is repeated since its answer was lost finds no upload, but the blob.
        if response.status_code == 404 and not has_blob(self._connection, self._repository, self._blob.digest):
            raise RegistryError(f"{self._subject}: the registry lost what was sent.\n{AGAIN}")

    def _ask(self, method: str, location: str) -> "Optional[requests.Response]":
        """Return the answer to a request about an upload, None if the registry knows no such thing."""
        try:
            return self._connection.send(
                method, location, scopes=self._scopes, subject=self._subject, expected=(200, 202, 204)
            )
        except RegistryError:
            return None

    def _location(self, header: str, before: str = "") -> str:
        """Return an upload's URL, which may be relative to the registry's."""
        if not header and not before:
            raise RegistryError(f"{self._subject}: the registry begins an upload and does not say where.\n{AGAIN}")
        return urljoin(f"{self._connection.url}/", header) if header else before


def is_whole(path: Path, blob: Descriptor) -> bool:
    """Return whether a file is there in a blob's full size; the registry looks at its digest."""
    return path.is_file() and path.stat().st_size == blob.size_bytes


def has_blob(connection: Connection, repository: str, digest: str) -> bool:
    """Return whether a repository has a blob."""
    response = connection.send(
        "HEAD",
        f"/v2/{repository}/blobs/{digest}",
        scopes=(pull_scope(repository),),
        subject=f"{connection.host}/{repository}@{digest}",
        expected=(200, 404),
    )
    return response.status_code == 200
