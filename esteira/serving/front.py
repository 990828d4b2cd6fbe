"""`make serve`: the current release's model, and on this machine whatever becomes current after it."""

from functools import partial
from typing import Optional

from esteira.release.history import served_release
from esteira.release.served import served_model
from esteira.release.store import open_store
from esteira.serving.answer_log import LogRule
from esteira.serving.identity import Identity, endpoint_here
from esteira.serving.limits import limits_of
from esteira.serving.saved_model import model_version
from esteira.serving.server import OpenLog, serve_models
from esteira.serving.sources import FolderSource, Source, StoreSource
from esteira.settings import Settings
from esteira.vertex.endpoint import deployed_id
from esteira.vertex.names import serving_id


def serve_here(settings: Settings) -> None:
    """Serve on this machine until a signal. Raises StateError if nothing is deployed, ServingError if it can't be.

    Of an environment in Google Cloud a copy of its model is served as it is now, and no request is kept.
    """
    serving = settings.serving
    serve_models(
        source_of(settings),
        host=serving.host,
        port=serving.port,
        max_batch=serving.max_batch,
        limits=limits_of(serving),
        open_log=log_opener(settings),
        log_rule=LogRule(settings.log.percent, settings.log.text),
    )


def source_of(settings: Settings) -> Source:
    """Return what is served. Raises StateError if nothing is deployed or its model is lost."""
    name, identity = settings.pipeline.name, serving_id(settings)
    store = open_store(settings)
    model_dir = served_model(settings)
    if settings.is_local:
        return StoreSource(store, name, identity)
    release = served_release(store, settings.selected)
    identifier = deployed_id(identity, release, str(model_version(model_dir)))
    return FolderSource(model_dir, name, Identity(endpoint_here(identity), identifier, release.origin))


def log_opener(settings: Settings) -> Optional[OpenLog]:
    """Return what opens the request log, None if no request is to be kept."""
    if not settings.is_local or not settings.log.percent:
        return None
    from esteira.monitoring.warehouse.open_log import LoadedLog

    return partial(LoadedLog, settings)
