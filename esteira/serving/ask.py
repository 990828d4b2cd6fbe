"""`make predict`: asking the server that listens, or else one started for the question."""

from typing import List, Sequence

from rich.table import Table
from rich.text import Text

from esteira.errors import ServingError
from esteira.release.served import served_model
from esteira.serving.client import Client, Prediction, model_path, predict
from esteira.serving.running import running_server
from esteira.serving.saved_model import model_version
from esteira.settings import Settings

PROBE_TIMEOUT_S = 1.0


def ask(settings: Settings, texts: Sequence[str]) -> List[Prediction]:
    """Return the current release's answers; StateError if nothing is deployed, ServingError if it can't answer.

    In Google Cloud the environment's endpoint is asked.

    A server on the port of the settings is asked if it serves this very model; it may as well be another
    clone's, or another program.
    """
    if not settings.is_local:
        from esteira.vertex.answers import ask_release

        return ask_release(settings, texts)
    name, serving = settings.pipeline.name, settings.serving
    model = served_model(settings)
    url = f"http://{serving.host}:{serving.port}"
    if serves(url, name, model_version(model)):
        return predict(url, name, texts)
    with running_server(model, name=name, max_batch=serving.max_batch) as url:
        return predict(url, name, texts)


def serves(url: str, name: str, version: int) -> bool:
    """Whether a server at `url` has this version of the model ready."""
    try:
        with Client(url, timeout_s=PROBE_TIMEOUT_S) as client:
            answer = client.ask("GET", f"{model_path(name)}/versions/{version}")
    except ServingError:
        return False
    return answer.status == 200


def answer_table(predictions: Sequence[Prediction]) -> Table:
    """Return text, label, confidence and the probability of each label as a table."""
    table = Table(box=None, pad_edge=False)
    for column in ("text", "label", "confidence", *predictions[0].probabilities):
        table.add_column(Text(column), overflow="fold")
    for one in predictions:
        probabilities = [f"{value:.3f}" for value in one.probabilities.values()]
        # As Text, since a user's [b] is no markup.
        table.add_row(Text(one.text), Text(one.label), f"{one.confidence:.3f}", *probabilities)
    return table
