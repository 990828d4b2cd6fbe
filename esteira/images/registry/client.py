"""A registry as the OCI distribution specification describes it: manifests and blobs, by digest.

Source: distribution-spec v1.1.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Dict, Mapping, NamedTuple, Optional, Sequence

from esteira.errors import RegistryError
from esteira.images.descriptor import Descriptor
from esteira.images.media import INDEXES, MANIFESTS
from esteira.images.registry.authorize import pull_scope, push_scope
from esteira.images.registry.connection import Connection, Sleep
from esteira.images.registry.download import fetch_blob, wrong_bytes
from esteira.images.registry.upload import Sent, Upload, has_blob
from esteira.release.digest import digest_bytes

if TYPE_CHECKING:
    import requests

ACCEPT = (*INDEXES, *MANIFESTS)
DIGEST = "Docker-Content-Digest"


class Manifest(NamedTuple):
    """A manifest's or index's own bytes."""

    content: bytes
    media_type: str
    digest: str


class RegistryClient:
    """One registry. Thread-safe. All its methods raise UnreachableError, and RegistryError with what was refused."""

    def __init__(self, host: str, environ: Mapping[str, str], *, sleep: Sleep = time.sleep) -> None:
        self.host = host
        self._connection = Connection(host, environ, sleep)

    def get_manifest(self, repository: str, reference: str, accept: Sequence[str] = ACCEPT) -> Manifest:
        """Return what is under a tag or digest; RegistryError if its bytes have not the digest."""
        return self._read_manifest(self._ask_manifest(repository, reference, accept, (200,)), repository, reference)

    def look_up_manifest(self, repository: str, reference: str, accept: Sequence[str] = ACCEPT) -> Optional[Manifest]:
        """Return what is under a tag or digest, None if nothing is; RegistryError if its bytes have not the digest."""
        response = self._ask_manifest(repository, reference, accept, (200, 404))
        return None if response.status_code == 404 else self._read_manifest(response, repository, reference)

    def find_manifest(self, repository: str, reference: str, accept: Sequence[str] = ACCEPT) -> Optional[str]:
        """Return the digest of what is under a tag or digest, None if nothing is. Only headers are sent."""
        response = self._connection.send(
            "HEAD",
            self._manifest(repository, reference),
            scopes=(pull_scope(repository),),
            subject=self._subject(repository, reference),
            expected=(200, 404),
            headers={"Accept": ", ".join(accept)},
        )
        if response.status_code == 404:
            return None
        # The header is no duty; without it only the bytes tell.
        return response.headers.get(DIGEST) or self.get_manifest(repository, reference, accept).digest

    def resolve(self, repository: str, tag: str) -> str:
        """Return the digest that a tag names now; RegistryError if there is no such tag."""
        digest = self.find_manifest(repository, tag)
        if digest is None:
            raise RegistryError(
                f"{self._subject(repository, tag)}: the registry has no such tag. Expected one that exists."
            )
        return digest

    def put_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> str:
        """Put a manifest under a tag or its digest, which is returned; RegistryError if the registry took another."""
        response = self._connection.send(
            "PUT",
            self._manifest(repository, reference),
            scopes=(push_scope(repository),),
            subject=self._subject(repository, reference),
            expected=(200, 201, 202),
            headers={"Content-Type": media_type},
            body=content,
        )
        digest = response.headers.get(DIGEST, "")
        built = digest_bytes(content)
        if digest != built:
            raise RegistryError(
                f"{self._subject(repository, reference)}: the registry took it as {digest or 'nothing'}. "
                f"Expected the digest that was built, {built}. Do not use what is there."
            )
        return digest

    def referrers(self, repository: str, digest: str) -> Optional[bytes]:
        """Return the index of what refers to a manifest, None if the registry lacks that part of the API."""
        response = self._connection.send(
            "GET",
            f"/v2/{repository}/referrers/{digest}",
            scopes=(pull_scope(repository),),
            subject=self._subject(repository, digest),
            expected=(200, 400, 404, 405),
        )
        return response.content if response.status_code == 200 else None

    def has_blob(self, repository: str, digest: str) -> bool:
        return has_blob(self._connection, repository, digest)

    def fetch_blob(self, repository: str, blob: Descriptor, path: Path) -> None:
        """Write a blob into a file. Raises RegistryError, and leaves no file, if it has not the digest and size."""
        fetch_blob(self._connection, repository, blob, path)

    def mount_blob(self, repository: str, blob: Descriptor, source: str) -> bool:
        """Take a blob over from another repository of this registry; return False if it cannot be had so."""
        upload = Upload(self._connection, repository, Path(), blob)
        location = upload.mount(source)
        if location:
            upload.cancel(location)
        return location is None

    def upload_blob(self, repository: str, path: Path, blob: Descriptor, sources: Sequence[str] = ()) -> Sent:
        """Mount a blob from one of the repositories `sources`, or send it, and return how much was sent."""
        upload = Upload(self._connection, repository, path, blob)
        location = ""
        for source in sources:
            if location:
                upload.cancel(location)
            answer = upload.mount(source)
            if answer is None:
                return Sent(0, mounted=True)
            location = answer
        return upload.send(location)

    def _ask_manifest(
        self, repository: str, reference: str, accept: Sequence[str], expected: Sequence[int]
    ) -> "requests.Response":
        return self._connection.send(
            "GET",
            self._manifest(repository, reference),
            scopes=(pull_scope(repository),),
            subject=self._subject(repository, reference),
            expected=expected,
            headers={"Accept": ", ".join(accept)},
        )

    def _read_manifest(self, response: "requests.Response", repository: str, reference: str) -> Manifest:
        digest = digest_bytes(response.content)
        if is_digest(reference) and digest != reference:
            raise wrong_bytes(self._subject(repository, reference), f"bytes with the digest {digest}")
        return Manifest(response.content, media_type_of(response.headers), digest)

    def _manifest(self, repository: str, reference: str) -> str:
        return f"/v2/{repository}/manifests/{reference}"

    def _subject(self, repository: str, reference: str) -> str:
        return f"{self.host}/{repository}{'@' if is_digest(reference) else ':'}{reference}"


def open_clients(environ: Mapping[str, str], *, sleep: Sleep = time.sleep) -> Callable[[str], RegistryClient]:
    """Return a function that returns a host's client, the same one each time, so that its tokens are kept."""
    clients: Dict[str, RegistryClient] = {}

    def client_for(host: str) -> RegistryClient:
        return clients.setdefault(host, RegistryClient(host, environ, sleep=sleep))

    return client_for


def is_digest(reference: str) -> bool:
    return reference.startswith("sha256:")


def media_type_of(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip()
