"""Where an environment keeps its releases: a folder, or a bucket of Cloud Storage."""

from esteira.release.store.interface import Store
from esteira.release.store.folder import FolderStore
from esteira.settings import Settings

__all__ = ["Store", "open_store"]


def open_store(settings: Settings) -> Store:
    """Return the store of the chosen environment. Nothing is read or made yet."""
    return FolderStore(settings.folder)
