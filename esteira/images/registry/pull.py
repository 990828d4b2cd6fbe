"""Pulling a base image into a layout: by digest, for one platform, only what is not there yet."""

import json
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Tuple

from esteira.errors import ImageError
from esteira.images.descriptor import Descriptor, describe_bytes, read_descriptor
from esteira.images.layout import Layout
from esteira.images.media import INDEX, INDEXES, MANIFEST, MANIFESTS
from esteira.images.registry.client import RegistryClient
from esteira.images.registry.reference import Reference
from esteira.release.digest import digest_bytes
from esteira.release.store.parallel import in_parallel


@dataclass(frozen=True)
class PulledImage:
    """One platform's image: its manifest, its config, and its layers with the digests of their plain tars."""

    descriptor: Descriptor
    config: Dict[str, Any]
    layers: List[Descriptor]
    diff_ids: List[str]


def pull_base(
    reference: Reference,
    platform: str,
    layout: Layout,
    client_for: Callable[[str], RegistryClient],
    is_held: Callable[[str], bool] = lambda digest: False,
) -> PulledImage:
    """Return a base's image for a platform such as linux/amd64, its blobs in the layout.

    Layers whose digest `is_held` says need not be there: they are not fetched. A layout that has all is not
    compared with the registry, which is not asked then: a digest cannot change.
    Raises ImageError if the reference has no digest, if there is no such platform or if it is no image;
    UnreachableError and RegistryError as the registry has it.
    """
    if not reference.digest:
        raise ImageError(f'base image "{reference}" has no digest. Expected name@sha256:<64 hex>. Run: make pins')
    return BasePull(reference, platform, layout, client_for, is_held).pull()


class BasePull:
    """The pull of one base."""

    def __init__(
        self,
        reference: Reference,
        platform: str,
        layout: Layout,
        client_for: Callable[[str], RegistryClient],
        is_held: Callable[[str], bool],
    ) -> None:
        self._reference = reference
        self._platform = platform
        self._layout = layout
        self._client_for = client_for
        self._is_held = is_held

    def pull(self) -> PulledImage:
        try:
            manifest, document = self._manifest(self._reference.digest)
            config_entry = read_descriptor(document["config"])
            layers = [read_descriptor(entry) for entry in document["layers"]]
            self._fetch([config_entry, *(layer for layer in layers if not self._is_elsewhere(layer))])
            config = self._layout.read(config_entry.digest)
            diff_ids = [str(digest) for digest in config["rootfs"]["diff_ids"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise ImageError(
                f"{self._reference}: is no image: lacks {error}. Expected one with a config and layers."
            ) from None
        if len(diff_ids) != len(layers):
            raise ImageError(f"{self._reference}: has {len(layers)} layers and {len(diff_ids)} digests of them.")
        self._check_platform([platform_of(config)])
        return PulledImage(manifest, config, layers, diff_ids)

    def _manifest(self, digest: str) -> Tuple[Descriptor, Dict[str, Any]]:
        """Return the manifest of the platform, through the index if the digest is one's."""
        entry, document = self._document(digest)
        if entry.media_type not in INDEXES:
            return entry, document
        entries = [read_descriptor(child) for child in document["manifests"]]
        self._check_platform([platform_of(child.platform) for child in entries])
        chosen = next(child for child in entries if platform_of(child.platform) == self._platform)
        entry, document = self._document(chosen.digest)
        return Descriptor(entry.media_type, entry.digest, entry.size_bytes, chosen.platform), document

    def _document(self, digest: str) -> Tuple[Descriptor, Dict[str, Any]]:
        """Return a manifest or index, from the layout if it is there whole."""
        path = self._layout.blob(digest)
        content = path.read_bytes() if path.is_file() else b""
        if digest_bytes(content) != digest:
            content = self._client.get_manifest(self._reference.repository, digest).content
        document = json_object(content, f"{self._reference.host}/{self._reference.repository}@{digest}")
        media_type = media_type_of(document)
        if media_type not in (*INDEXES, *MANIFESTS):
            raise ImageError(f"{self._reference}: is of the kind {media_type}. Expected an image.")
        entry = describe_bytes(media_type, content)
        self._layout.add(media_type, content)
        return entry, document

    @property
    def _client(self) -> RegistryClient:
        return self._client_for(self._reference.host)

    def _is_elsewhere(self, layer: Descriptor) -> bool:
        return not self._layout.has(layer) and self._is_held(layer.digest)

    def _fetch(self, blobs: List[Descriptor]) -> None:
        """Fetch what is missing, the largest blobs first, several at a time."""
        missing = {blob.digest: blob for blob in blobs if not self._layout.has(blob)}
        in_parallel(self._fetch_one, sorted(missing.values(), key=lambda blob: -blob.size_bytes))

    def _fetch_one(self, blob: Descriptor) -> None:
        with self._layout.scratch_file() as path:
            self._client.fetch_blob(self._reference.repository, blob, path)
            self._layout.adopt(path, blob.digest)

    def _check_platform(self, there: List[str]) -> None:
        if self._platform not in there:
            raise ImageError(
                f"{self._reference}: is not made for {self._platform}, only for "
                f"{', '.join(sorted(set(there) - {UNKNOWN})) or 'unknown platforms'}. "
                f"Expected a base with an image for {self._platform}. Choose another one in docker/bases.toml."
            )


# What builders write beside an image for its attestations.
UNKNOWN = "unknown/unknown"


def platform_of(entry: Mapping[str, Any]) -> str:
    """Return a platform as it is written, os/architecture[/variant]; amd64's and arm64's only variants are left out."""
    system, architecture = entry.get("os", "unknown"), entry.get("architecture", "unknown")
    variant = entry.get("variant", "")
    usual = {"amd64": "v1", "arm64": "v8"}.get(architecture)
    return f"{system}/{architecture}" + (f"/{variant}" if variant and variant != usual else "")


def media_type_of(document: Mapping[str, Any]) -> str:
    """Return a document's media type; OCI lets it out, and then its shape tells."""
    named = document.get("mediaType")
    if named or document.get("schemaVersion") != 2:
        return str(named or f"schema version {document.get('schemaVersion')}")
    return INDEX if "manifests" in document else MANIFEST


def json_object(content: bytes, place: str) -> Dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ImageError(f"{place}: is no JSON document. Expected an image's manifest or index.")
    return document
