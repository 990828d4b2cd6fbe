"""The model that an environment serves."""

from pathlib import Path

from esteira.errors import StateError
from esteira.release.history import served_release
from esteira.release.places import placed_model
from esteira.release.store import open_store
from esteira.settings import Settings


def served_model(settings: Settings) -> Path:
    """Return the folder of the current release's model; StateError if nothing is deployed or it is lost."""
    settings.require_local()
    store = open_store(settings)
    release = served_release(store, settings.selected)
    model = Path(placed_model(store, release.outcome.model) if release.outcome else "")
    if not release.outcome or not model.is_dir():
        raise StateError(f"release {release.id}: its model {model} is lost. Run: make deploy FORCE=1")
    return model
