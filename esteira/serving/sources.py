"""Where the models come from that a server answers for: a folder, or the releases of a store."""

from pathlib import Path
from typing import NamedTuple

from typing_extensions import Protocol

from esteira.errors import ServingError
from esteira.release.history import load_release, read_pointer
from esteira.release.manifest import Release
from esteira.release.places import placed_model
from esteira.release.store.interface import Store
from esteira.serving.identity import Candidate, Identity, endpoint_here
from esteira.serving.saved_model import check_model_dir, model_version
from esteira.serving.traffic import counted_traffic
from esteira.vertex.endpoint import deployed_id


class Split(NamedTuple):
    """The release that is served, and perhaps one beside it that gets `percent` of the traffic."""

    current: str
    beside: str = ""
    percent: int = 0


class Source(Protocol):
    """`name` is the model's in paths, `endpoint` the resource name that all models are deployed to."""

    name: str
    endpoint: str

    def wanted(self) -> Split:
        """Return what is to be served now. Raises StateError if that cannot be known."""

    def candidate(self, release: str) -> Candidate:
        """Return the model of a release. Raises StateError or ServingError if there is none."""


class FolderSource:
    """One model, that of a folder, whatever becomes of its release."""

    def __init__(self, model_dir: Path, name: str, identity: Identity) -> None:
        """Raises ServingError unless the folder holds a SavedModel."""
        check_model_dir(model_dir)
        self.name = name
        self.endpoint = identity.endpoint
        self._candidate = Candidate(model_dir, name, identity)

    def wanted(self) -> Split:
        return Split(self._candidate.identity.release)

    def candidate(self, release: str) -> Candidate:
        return self._candidate


class StoreSource:
    """The release that `current` points to in a store on this machine, and the one beside it."""

    def __init__(self, store: Store, name: str, identity: str) -> None:
        self.name = name
        self.endpoint = endpoint_here(identity)
        self._store = store
        self._identity = identity

    def wanted(self) -> Split:
        current = read_pointer(self._store).release
        if not current:
            raise ServingError(f"{self._store.uri}: nothing is deployed yet. Run: make deploy-full")
        traffic = counted_traffic(self._store, current)
        return Split(current, traffic.beside, traffic.percent) if traffic else Split(current)

    def candidate(self, release: str) -> Candidate:
        found = load_release(self._store, release)
        model_dir = folder_of(self._store, found)
        # Of a rollback, the release that it brought back: the same model is not deployed twice.
        identifier = deployed_id(self._identity, found, str(model_version(model_dir)))
        return Candidate(model_dir, self.name, Identity(self.endpoint, identifier, found.origin))


def folder_of(store: Store, release: Release) -> Path:
    """Return the folder of a release's model. Raises ServingError if it has none."""
    model = placed_model(store, release.outcome.model) if release.outcome else ""
    if not model or not Path(model).is_dir():
        what = f"its model {model} is lost" if model else "no model was pushed"
        raise ServingError(f"release {release.id}: {what}. Run: make deploy FORCE=1")
    return Path(model)
