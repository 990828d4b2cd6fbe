"""The endpoint of an environment as what answers for its model."""

from typing import Any, Dict, List, Optional, Sequence

from esteira.errors import GoogleError, StateError
from esteira.google.api import Api
from esteira.google.open import open_api
from esteira.release.history import readable_release, served_release
from esteira.release.manifest import Release
from esteira.release.places import model_prefix
from esteira.release.store import Store, open_store
from esteira.serving.endpoint import RefusedError
from esteira.serving.interface import DEFAULT, Interface
from esteira.serving.prediction import Answered
from esteira.serving.recorded import stored_interfaces, stored_labels
from esteira.settings import Settings
from esteira.vertex.endpoint import deployed_models, find_endpoint
from esteira.vertex.names import serving_id
from esteira.vertex.predict import ask
from esteira.vertex.pushed import pushed_id


def open_endpoint(settings: Settings, api: Optional[Api] = None) -> "VertexEndpoint":
    """Return the environment's endpoint. Raises StateError if nothing is deployed, GoogleError if it is not there."""
    store, api = open_store(settings), api or open_api(settings)
    identity = pushed_id(settings, api) if settings.endpoint.by == "pusher" else serving_id(settings)
    return VertexEndpoint(settings, api, store, served_release(store, settings.selected), identity)


class VertexEndpoint:
    """The endpoint `identity`, whose current release is known; threads may share it."""

    def __init__(self, settings: Settings, api: Api, store: Store, release: Release, identity: str) -> None:
        self.place = f"endpoint {identity}"
        self._settings = settings
        self._api = api
        self._store = store
        self._current = release
        self._identity = identity
        self._released: Dict[str, str] = {}
        self._labels: Dict[str, Optional[List[str]]] = {}

    def ask(self, instances: Sequence[Any]) -> Answered:
        """Return the answer to a request. Raises RefusedError for what the model refuses, else GoogleError."""
        try:
            answered = ask(self._settings, self._api, self._identity, instances)
        except GoogleError as error:
            if error.status not in (400, 413):
                raise
            raise RefusedError(str(error), error.status, str(getattr(error, "said", error))) from None
        return answered._replace(release=self._release_of(answered.deployed_id))

    def labels_of(self, answered: Answered) -> Optional[List[str]]:
        """Return the names of the classes of the release that answered, None if it is not in the history."""
        if answered.release not in self._labels:
            current = answered.release in ("", self._current.id, self._current.origin)
            release = self._current if current else readable_release(self._store, answered.release)
            prefix = prefix_of(release) if release else ""
            self._labels[answered.release] = stored_labels(self._store, prefix) if prefix else None
        return self._labels[answered.release]

    def interface(self) -> Interface:
        """Return what the current release's model takes and gives. Raises StateError if it is lost."""
        prefix = prefix_of(self._current)
        if not prefix:
            raise StateError(
                f"release {self._current.id}: its model lies nowhere in {self._store.uri}. Run: make rollback"
            )
        return stored_interfaces(self._store, prefix)[DEFAULT]

    def close(self) -> None:
        """Close nothing: the connections are the process's own."""

    def _release_of(self, deployed_id: str) -> str:
        """Return the release of a deployed model; one that is not known yet is looked up, as after a deploy."""
        if self._settings.endpoint.by == "pusher":
            return self._current.origin
        if deployed_id not in self._released:
            endpoint = find_endpoint(self._settings, self._api, self._identity) or {}
            self._released.update({str(one["id"]): str(one["displayName"]) for one in deployed_models(endpoint)})
            self._released.setdefault(deployed_id, "")
        return self._released[deployed_id]


def prefix_of(release: Release) -> str:
    return model_prefix(release.outcome.model) if release.outcome else ""
