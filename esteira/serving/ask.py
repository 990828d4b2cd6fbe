"""`make predict`: asking the server that listens, or else one started for the question."""

import socket
from pathlib import Path
from typing import List, Sequence

from rich.table import Table

from esteira.release.manifest import current_outcome
from esteira.serving.client import Prediction, predict
from esteira.serving.running import running_server
from esteira.settings import ServingSettings, Settings

CONNECT_TIMEOUT_S = 1.0


def ask(settings: Settings, texts: Sequence[str]) -> List[Prediction]:
    """Return the current release's answers; StateError if nothing is deployed, ServingError if it can't answer."""
    name, serving = settings.pipeline.name, settings.serving
    if is_listening(serving):
        return predict(f"http://{serving.host}:{serving.port}", name, texts)
    model = Path(current_outcome(settings).model)
    with running_server(model, name=name, max_batch=serving.max_batch) as url:
        return predict(url, name, texts)


def is_listening(serving: ServingSettings) -> bool:
    try:
        socket.create_connection((serving.host, serving.port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def answer_table(predictions: Sequence[Prediction]) -> Table:
    """Return text, label, confidence and the probability of each label as a table."""
    table = Table(box=None, pad_edge=False)
    for column in ("text", "label", "confidence", *predictions[0].probabilities):
        table.add_column(column, overflow="fold")
    for one in predictions:
        probabilities = [f"{value:.3f}" for value in one.probabilities.values()]
        table.add_row(one.text, one.label, f"{one.confidence:.3f}", *probabilities)
    return table
