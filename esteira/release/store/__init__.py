"""Where an environment keeps its releases: a folder, or a bucket of Cloud Storage."""

from esteira.release.store.folder import FolderStore
from esteira.release.store.interface import Store
from esteira.settings import Settings

__all__ = ["Store", "open_store"]


def open_store(settings: Settings) -> Store:
    """Return the store of the chosen environment. Nothing is read or made yet."""
    if settings.is_local:
        return FolderStore(settings.folder)
    from esteira.google.open import open_api
    from esteira.release.store.cloud import CloudStore

    return CloudStore(settings.environment, settings.pipeline.name, open_api(settings))
