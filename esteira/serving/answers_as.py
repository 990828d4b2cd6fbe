"""As what a release's model answers on this machine: as the endpoint that serves, or as the one for checks."""

from esteira.release.manifest import Release
from esteira.serving.identity import Identity, endpoint_here
from esteira.settings import Settings
from esteira.vertex.endpoint import deployed_id
from esteira.vertex.names import check_id, serving_id


def serving_identity(settings: Settings, release: Release, version: int) -> Identity:
    """Return what `make serve` answers as."""
    return identity_of(serving_id(settings), release, version)


def check_identity(settings: Settings, release: Release, version: int) -> Identity:
    """Return what the smoke test's own server answers as: the views of the request log leave it out."""
    return identity_of(check_id(settings), release, version)


def identity_of(identity: str, release: Release, version: int) -> Identity:
    return Identity(endpoint_here(identity), deployed_id(identity, release, str(version)), release.origin)
