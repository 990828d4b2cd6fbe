"""The images that a build may take from: asked for when something is not here, and never before."""

import json
from functools import cached_property
from typing import Dict, List, Optional, Sequence, Tuple

from esteira.errors import RegistryError
from esteira.images.descriptor import Descriptor, read_descriptor
from esteira.images.former.image import Former, read_former
from esteira.images.former.inventory import Inventory, unpack
from esteira.images.layers.conflicts import Files
from esteira.images.layers.key import KEY
from esteira.images.layers.metadata import Package
from esteira.images.layers.store import Layer
from esteira.images.layout import Layout
from esteira.images.media import INVENTORY, MANIFEST, SBOM
from esteira.images.registry.client import RegistryClient
from esteira.images.registry.reference import Reference
from esteira.images.registry.referrers import list_referrers
from esteira.images.registry.refusals import UnreachableError


class FormerImages:
    """Images of one registry, by digest. All methods raise RegistryError as the registry has it."""

    def __init__(self, references: Sequence[Reference], client: RegistryClient, layout: Layout) -> None:
        self.references = references
        self.client = client
        self._layout = layout

    def layer(self, key: str) -> Optional[Layer]:
        """Return the layer of a key, without a name."""
        return next((image.layers[key] for image in self._images if key in image.layers), None)

    def holds(self, digest: str) -> bool:
        """Return whether one of the images has a layer of a digest, such as a base's."""
        return any(digest in image.digests for image in self._images)

    def are_together(self, keys: Sequence[str]) -> bool:
        return any(image.layers.keys() >= set(keys) for image in self._images)

    def files(self, key: str) -> Optional[Files]:
        return self.inventory.files.get(key)

    def document(self, key: str) -> Optional[Descriptor]:
        """Return the bill of materials or the inventory of a key, as a blob in the registry."""
        return self._documents[key][0] if key in self._documents else None

    def repositories(self) -> Dict[str, List[str]]:
        """Return which repositories have a blob, by digest; nothing where nothing was asked for."""
        found: Dict[str, List[str]] = {}
        for image in self._images if "_images" in self.__dict__ else []:
            for digest in image.digests:
                found.setdefault(digest, []).append(image.reference.repository)
        for blob, repository in self._documents.values() if "_documents" in self.__dict__ else []:
            found.setdefault(blob.digest, []).append(repository)
        return found

    @cached_property
    def inventory(self) -> Inventory:
        """What is known of the layers' files and packages."""
        blobs = {
            blob.digest: (blob, repository)
            for blob, repository in self._documents.values()
            if blob.media_type == INVENTORY
        }
        files: Dict[str, Files] = {}
        packages: Dict[str, Package] = {}
        for blob, repository in blobs.values():
            found = unpack(self._fetch(blob, repository))
            files.update(found.files)
            packages.update(found.packages)
        return Inventory(files, packages)

    @cached_property
    def _images(self) -> List[Former]:
        try:
            found = [read_former(self.client, reference, self._layout) for reference in self.references]
        except UnreachableError as error:
            # The caller takes that one for a base's registry, without which an image may be left out.
            raise RegistryError(str(error)) from None
        return [image for image in found if image is not None]

    @cached_property
    def _documents(self) -> Dict[str, Tuple[Descriptor, str]]:
        """What goes with the images and has a key, each with the repository that has it."""
        found: Dict[str, Tuple[Descriptor, str]] = {}
        for image in self._images:
            repository = image.reference.repository
            for entry in list_referrers(self.client, repository, image.reference.digest).entries:
                if entry.get("artifactType") in (SBOM, INVENTORY):
                    for blob in self._named_by(repository, str(entry.get("digest"))):
                        found.setdefault(blob.annotations.get(KEY, ""), (blob, repository))
        return found

    def _named_by(self, repository: str, digest: str) -> List[Descriptor]:
        """Return what a manifest names, nothing where it is gone or another thing."""
        manifest = self.client.look_up_manifest(repository, digest, [MANIFEST])
        try:
            return [read_descriptor(entry) for entry in json.loads(manifest.content)["layers"]] if manifest else []
        except (ValueError, KeyError, TypeError):
            return []

    def _fetch(self, blob: Descriptor, repository: str) -> bytes:
        if self._layout.has(blob):
            return self._layout.blob(blob.digest).read_bytes()
        with self._layout.scratch_file() as path:
            self.client.fetch_blob(repository, blob, path)
            return path.read_bytes()
