"""The model that an environment serves."""

from pathlib import Path

from esteira.errors import StateError
from esteira.release.history import served_release
from esteira.release.manifest import Release
from esteira.release.places import model_prefix, placed_model
from esteira.release.store import Store, open_store
from esteira.settings import Settings


def served_model(settings: Settings) -> Path:
    """Return the folder of the current release's model, in Google Cloud a copy on this machine.

    Raises StateError if nothing is deployed, or the model is lost.
    """
    store = open_store(settings)
    release = served_release(store, settings.selected)
    model = Path(placed_model(store, release.outcome.model) if release.outcome else "")
    if not settings.is_local and release.outcome:
        model = copied_model(settings, store, release)
    if not release.outcome or not model.is_dir():
        raise StateError(f"release {release.id}: its model {model} is lost. Run: make deploy FORCE=1")
    return model


def copied_model(settings: Settings, store: Store, release: Release) -> Path:
    """Return the copy of a model that lies in a bucket; it is made once."""
    from esteira.google.open import open_api
    from esteira.serving.download import download_model

    uri = placed_model(store, release.outcome.model if release.outcome else "")
    folder = settings.state / "served" / settings.selected / (model_prefix(uri) or release.id)
    made = folder.with_suffix(".new")
    if not folder.is_dir():
        download_model(open_api(settings), uri, made)
        made.rename(folder)
    return folder
