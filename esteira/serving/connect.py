"""The client for a program of one's own: a model that serves, here or on Vertex AI, asked from Python.

from esteira import connect

with connect() as model:
    for answer in model.predict(["I love this film", "dull"]):
        print(answer.label, answer.confidence)
"""

import os
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Union

from esteira.errors import ServingError
from esteira.serving.client import CHUNK, RETRY_S, TIMEOUT_S
from esteira.serving.endpoint import Endpoint
from esteira.serving.interface import Interface
from esteira.serving.prediction import Answered, Prediction, read_prediction
from esteira.serving.server_endpoint import ServerEndpoint
from esteira.settings import LOCAL, Settings, load_settings


class Model:
    """A model that serves, to be used as a context manager; threads may share it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._interface: Optional[Interface] = None

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *failure: Any) -> None:
        self.close()

    def close(self) -> None:
        self._endpoint.close()

    @property
    def interface(self) -> Interface:
        """What the model takes and gives: names, dtypes and shapes. Raises ServingError."""
        if self._interface is None:
            self._interface = self._endpoint.interface()
        return self._interface

    def predict(self, texts: Iterable[str]) -> List[Prediction]:
        """Return what the model makes of each text, in order; as many requests as it takes are sent.

        Raises ServingError, or GoogleError of Vertex AI, if nobody answers or the model is one of another kind.
        """
        if isinstance(texts, str):
            raise TypeError("expected a list of texts, got one text: predict([text])")
        name = self._text_input()
        predictions: List[Prediction] = []
        for chunk in chunks(list(texts)):
            answered = self.ask([{name: text} for text in chunk])
            labels = self._endpoint.labels_of(answered)
            for number, (text, row) in enumerate(zip(chunk, answered.predictions)):
                predictions.append(read_prediction(text, row, labels, answered, number))
        return predictions

    def ask(self, instances: Sequence[Any]) -> Answered:
        """Return the answer to one request as the model gives it, whatever its inputs and outputs are.

        Raises RefusedError, a ServingError with `status` and `said`, for what is refused.
        """
        return self._endpoint.ask(instances)

    def _text_input(self) -> str:
        names = list(self.interface.inputs)
        if len(names) != 1:
            raise ServingError(f"the model takes {', '.join(names)}. Expected one text. Use: model.ask([{{...}}])")
        return names[0]


def connect(
    where: Union[str, Settings] = LOCAL,
    *,
    model: str = "",
    timeout_s: float = TIMEOUT_S,
    retry_s: float = RETRY_S,
    environ: Optional[Mapping[str, str]] = None,
) -> Model:
    """Return the model that answers at `where`: a server's URL, an environment's name, or settings.

    "local" is what `make serve` serves. `model` is its name on a server, without which it is pipeline.name of
    esteira.toml. A request may take `timeout_s`; a server that says that it is busy (429, 503) is asked again after
    the time that it names, for `retry_s`. Nothing is asked yet, but of an environment in Google Cloud which release
    it serves.
    Raises SettingsError for an environment that there is not, StateError if nothing is deployed to it.
    """
    if isinstance(where, str) and "://" in where:
        name = model or settings_of(LOCAL, environ).pipeline.name
        return Model(ServerEndpoint(where, name, timeout_s=timeout_s, retry_s=retry_s))
    settings = settings_of(where, environ) if isinstance(where, str) else where
    if settings.is_local:
        from esteira.serving.opened import server_url

        name = model or settings.pipeline.name
        return Model(ServerEndpoint(server_url(settings), name, timeout_s=timeout_s, retry_s=retry_s))
    from esteira.google.api import Api
    from esteira.vertex.answers import open_endpoint

    place, variables = settings.environment, os.environ if environ is None else environ
    api = Api(place.project, place.region, variables, environment=settings.selected, retry_s=retry_s)
    return Model(open_endpoint(settings, api))


def settings_of(environment: str, environ: Optional[Mapping[str, str]]) -> Settings:
    """Return the settings of this repository for an environment, with the process's variables where none are given."""
    from esteira.edge import ROOT

    variables: Dict[str, str] = dict(os.environ if environ is None else environ)
    return load_settings(ROOT, {**variables, "ESTEIRA_ENV": environment}, {})


def chunks(texts: List[str]) -> List[List[str]]:
    return [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
