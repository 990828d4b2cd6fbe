"""As what a model answers: of which endpoint, under which id, and the release that made it."""

from dataclasses import replace
from pathlib import Path
from typing import Mapping, NamedTuple, Optional, Sequence

from esteira.monitoring.deployed import Deployed
from esteira.serving.signature import DEFAULT_SIGNATURE, Signature
from esteira.vertex.names import CHECK

# The project and the region of an endpoint on this machine, as Vertex AI names one.
LOCATION = "projects/local/locations/local"


class Identity(NamedTuple):
    """`endpoint` is a resource name, `id` that of the deployed model, `release` the id of the release that made it."""

    endpoint: str = f"{LOCATION}/endpoints/local"
    id: str = "0"
    release: str = ""


class Candidate(NamedTuple):
    """A model that is to be served: its folder, the name that paths have for it, and what it answers as."""

    model_dir: Path
    name: str
    identity: Identity


def endpoint_here(identity: str) -> str:
    """Return the resource name of an endpoint on this machine."""
    return f"{LOCATION}/endpoints/{identity}"


def checked_as(deployed: Deployed) -> Deployed:
    """Return as what the request log has a model that is only checked."""
    if deployed.endpoint.endswith(CHECK):
        return deployed
    return replace(deployed, endpoint=deployed.endpoint + CHECK, id=deployed.id + CHECK)


def checked_identity(identity: Identity) -> Identity:
    """Return an identity as `checked_as` has it."""
    return identity._replace(endpoint=identity.endpoint + CHECK, id=identity.id + CHECK)


def deployed_as(
    identity: Identity, version: int, labels: Optional[Sequence[str]], signatures: Mapping[str, Signature]
) -> Deployed:
    """Return what the request log tells of a model."""
    default = signatures.get(DEFAULT_SIGNATURE)
    return Deployed(
        endpoint=identity.endpoint,
        id=identity.id,
        model_version=str(version),
        release=identity.release,
        labels=tuple(labels or ()),
        inputs=default.inputs if default else (),
        outputs=default.outputs if default else (),
    )
