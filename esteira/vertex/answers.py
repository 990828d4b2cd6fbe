"""What the endpoint makes of texts, with the names of the model's classes."""

from typing import List, Sequence

from esteira.errors import StateError
from esteira.google.open import open_api
from esteira.release.history import served_release
from esteira.release.places import model_prefix
from esteira.release.store import open_store
from esteira.serving.client import CHUNK, Prediction, read_prediction
from esteira.serving.recorded import stored_recorded
from esteira.settings import Settings
from esteira.vertex.predict import ask_endpoint


def ask_release(settings: Settings, texts: Sequence[str]) -> List[Prediction]:
    """Return the current release's answers from the environment's endpoint.

    Raises StateError if nothing is deployed, ServingError for an answer that is none, GoogleError if Vertex AI
    refuses.
    """
    store, api = open_store(settings), open_api(settings)
    release = served_release(store, settings.selected)
    prefix = model_prefix(release.outcome.model) if release.outcome else ""
    if not prefix:
        raise StateError(f"release {release.id}: its model lies nowhere in {store.uri}. Run: make rollback")
    labels = stored_recorded(store, prefix).labels
    predictions: List[Prediction] = []
    for start in range(0, len(texts), CHUNK):
        chunk = texts[start : start + CHUNK]
        rows = ask_endpoint(settings, api, [{"text": text} for text in chunk])
        predictions += [read_prediction(text, row, labels) for text, row in zip(chunk, rows)]
    return predictions
