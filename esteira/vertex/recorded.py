"""What is known of a release's deployed model beside the request log: its release, its classes, its signature.

Vertex AI logs none of it, so that the views read it from a table of their own.
"""

import time
from typing import Any, Dict, NamedTuple

from esteira.errors import GoogleError, StateError
from esteira.google.api import Api, Json
from esteira.monitoring.bigquery.engine import BigQuery
from esteira.monitoring.deployed import Deployed
from esteira.monitoring.engine import Engine
from esteira.monitoring.journal.frames import Described
from esteira.monitoring.views import make_views, render
from esteira.monitoring.warehouse.batch import deployed_row
from esteira.release.manifest import Release
from esteira.release.places import model_prefix
from esteira.release.store.interface import Store
from esteira.serving.interface import DEFAULT, Tensor
from esteira.serving.recorded import stored_interfaces, stored_labels
from esteira.serving.signature import TensorSpec
from esteira.settings import Settings
from esteira.vertex.endpoint import find_deployed, find_endpoint
from esteira.vertex.model import check_own_log
from esteira.vertex.names import serving_id
from esteira.vertex.pushed import find_pushed, pushed_endpoint


class Serving(NamedTuple):
    """The endpoint, and the deployed model of a release that serves on it."""

    identity: str
    endpoint: Json
    deployed: Json


def find_serving(settings: Settings, api: Api, release: Release) -> Serving:
    """Return where a release serves. Raises GoogleError if it does nowhere."""
    if settings.endpoint.by == "pusher":
        pushed, endpoint = find_pushed(settings, api), pushed_endpoint(settings, api)
        return Serving(pushed.identity, endpoint, pushed.deployed)
    identity = serving_id(settings)
    endpoint = find_endpoint(settings, api, identity) or {}
    deployed = find_deployed(endpoint, release)
    if deployed is None:
        raise GoogleError(f"release {release.origin}: its model is not deployed to the endpoint {identity}")
    return Serving(identity, endpoint, deployed)


def record_deployed(settings: Settings, api: Api, store: Store, release: Release) -> None:
    """Say in the table deployed_models what a release's deployed model is, and make the views that read it.

    What was said before is not said again.
    Raises WarehouseError, GoogleError; ServingError or StateError for a model that is damaged or lost.
    """
    engine, serving = BigQuery(settings, api), find_serving(settings, api, release)
    if settings.endpoint.by == "pusher":
        check_own_log(settings)
    row = row_of(describe(store, release, serving))
    if not is_recorded(engine, row):
        engine.insert("deployed_models", [row])
    make_views(engine, settings)


def describe(store: Store, release: Release, serving: Serving) -> Deployed:
    """Return what the views need to know of a deployed model: its labels and its signature lie in the store."""
    prefix = model_prefix(release.outcome.model) if release.outcome else ""
    if not prefix:
        raise StateError(f"release {release.id}: its model lies nowhere in {store.uri}. Run: make deploy FORCE=1")
    interface = stored_interfaces(store, prefix)[DEFAULT]
    return Deployed(
        endpoint=str(serving.endpoint["name"]),
        id=str(serving.deployed["id"]),
        model_version=str(serving.deployed.get("modelVersionId", "")),
        release=release.origin,
        labels=tuple(stored_labels(store, prefix)),
        inputs=tuple(spec_of(name, tensor) for name, tensor in sorted(interface.inputs.items())),
        outputs=tuple(spec_of(name, tensor) for name, tensor in sorted(interface.outputs.items())),
    )


def spec_of(name: str, tensor: Tensor) -> TensorSpec:
    return TensorSpec(name, tensor.dtype, tensor.shape)


def row_of(deployed: Deployed) -> Dict[str, Any]:
    row = deployed_row(Described(deployed, time.time_ns()))
    return {**row, "deployed_time": row["deployed_time"].isoformat()}


def is_recorded(engine: Engine, row: Dict[str, Any]) -> bool:
    asked = ("deployed_model_id", "model_version", "release_id", "signature")
    sql = render("recorded", engine.dataset)
    found = engine.query("look what was deployed", sql, {name: str(row[name]) for name in asked})
    return bool(found[0]["recorded"])
