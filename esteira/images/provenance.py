"""Where an image came from: an in-toto statement that names all its materials by digest.

Sources: in-toto Statement v1 (https://in-toto.io/Statement/v1), SLSA provenance v1
(https://slsa.dev/spec/v1.0/provenance). There is no time in it: the same materials give the same bytes.
"""

from typing import Any, Dict, List

from esteira.images.build import Image, Materials
from esteira.images.config import PLATFORM
from esteira.images.descriptor import document_bytes
from esteira.images.layers.key import FORM
from esteira.images.origin import Origin
from esteira.release.digest import digest_value

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:esteira:image:v1"
BUILDER = "urn:esteira:builder"


def provenance(image: Image, materials: Materials, origin: Origin) -> bytes:
    """Return the statement about an image, JSON."""
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": f"esteira/{image.name}", "digest": digest_set(image.manifest.digest)}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "specification": f"docker/{image.name}.toml",
                    "values": materials.spec.dict(),
                    "platform": "/".join([PLATFORM["os"], PLATFORM["architecture"]]),
                },
                "resolvedDependencies": dependencies(materials, origin),
            },
            "runDetails": {"builder": {"id": BUILDER, "version": {"form": str(FORM)}}},
        },
    }
    return document_bytes(statement)


def dependencies(materials: Materials, origin: Origin) -> List[Dict[str, Any]]:
    """Return the materials: commit, files of the repository, lock, base and wheels."""
    base = materials.base
    code = digest_value(dict(materials.code.files))
    found = [
        {"name": "base", "uri": f"docker://{base.tagged}", "digest": digest_set(base.digest)},
        {"name": "lock", "uri": materials.spec.lock, "digest": digest_set(materials.lock_digest)},
        {"name": "code", "uri": ",".join(materials.spec.folders), "digest": digest_set(code)},
        *(
            {
                "name": wheel.path.name,
                "uri": f"pkg:pypi/{wheel.name}@{wheel.version}",
                "digest": {"sha256": wheel.sha256},
            }
            for wheel in sorted(materials.wheels, key=lambda wheel: wheel.name)
        ),
    ]
    return [*origin.material(), *found]


def digest_set(digest: str) -> Dict[str, str]:
    algorithm, _, value = digest.partition(":")
    return {algorithm: value}
