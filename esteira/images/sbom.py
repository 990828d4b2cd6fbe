"""The bill of materials of an image: its packages, with hashes, licences and what needs what, in CycloneDX.

It follows from wheels and base alone, so images that share them share it, too.
"""

import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Dict, Sequence

from esteira.images.bases import Base
from esteira.images.layers.archive import EPOCH
from esteira.images.layers.groups import WheelFile
from esteira.images.layers.metadata import Package

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

# Serial numbers are made of what a document lists, in a name space of ours.
NAMESPACE = uuid.UUID("6e2a3a53-3f4b-5e0f-9d0a-6c1b7f7c0c11")


def bill_of_materials(wheels: Sequence[WheelFile], packages: Dict[str, Package], base: Base) -> bytes:
    """Return a CycloneDX 1.5 document, JSON, the same bytes for the same wheels and base.

    `packages` says of each wheel, by the package's name, what its metadata does.
    """
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot5

    components = {wheel.name: component_of(wheel, packages[wheel.name]) for wheel in wheels}
    about = Component(type=ComponentType.CONTAINER, name="esteira", bom_ref="image")
    bom = Bom(components=[*components.values(), component_of_base(base)])
    bom.serial_number = serial_number(wheels, base)
    bom.metadata.timestamp = datetime.fromtimestamp(EPOCH, tz=timezone.utc)
    bom.metadata.component = about
    bom.register_dependency(about, components.values())
    for name, component in components.items():
        needed = [components[other] for other in packages[name].needs if other in components and other != name]
        bom.register_dependency(component, needed)
    document: str = JsonV1Dot5(bom).output_as_string()
    return document.encode("utf-8")


def serial_number(wheels: Sequence[WheelFile], base: Base) -> uuid.UUID:
    hashes = ",".join(sorted(f"{wheel.name}={wheel.sha256}" for wheel in wheels))
    return uuid.uuid5(NAMESPACE, f"{base.reference},{hashes}")


def component_of(wheel: WheelFile, package: Package) -> "Component":
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import DisjunctiveLicense
    from packageurl import PackageURL

    url = PackageURL("pypi", None, wheel.name, wheel.version)
    return Component(
        type=ComponentType.LIBRARY,
        name=wheel.name,
        version=wheel.version,
        purl=url,
        bom_ref=str(url),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        licenses=[DisjunctiveLicense(name=package.licence)] if package.licence else [],
    )


def component_of_base(base: Base) -> "Component":
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        type=ComponentType.CONTAINER,
        name=base.image,
        version=base.tag,
        bom_ref=base.reference,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=base.digest.partition(":")[2])],
    )
