"""Asking a prediction server, ours or TensorFlow Serving, from Python."""

import http.client
import json
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple
from urllib.parse import quote, urlsplit

from esteira.errors import ServingError

# Texts in one request; more go in several, over one connection.
CHUNK = 64
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Prediction:
    """What the model makes of a text; `probabilities` by label, in the model's order."""

    text: str
    label: str
    confidence: float
    probabilities: Dict[str, float]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer whose body is JSON."""

    status: int
    body: Any


class Client:
    """One connection to the server at `url`, to be used as a context manager."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServingError(f"{url}: is no URL of a server. Expected one such as http://127.0.0.1:8501")
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._url = url
        self._path = parts.path.rstrip("/")
        self._connection = connect(parts.hostname, parts.port, timeout=timeout_s)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *failure: Any) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: Optional[bytes] = None) -> Answer:
        """Return the answer, whatever its status. Raises ServingError if nobody gives one in JSON."""
        try:
            self._connection.request(method, self._path + path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            content = response.read()
        except ConnectionRefusedError:
            raise ServingError(
                f"{self._url}: nothing listens there.\nStart the server in another terminal: make serve"
            ) from None
        except OSError as error:
            self._connection.close()
            raise ServingError(
                f"{self._url}: no answer: {error}.\nSee what the server says, or start it: make serve"
            ) from None
        except http.client.HTTPException as error:
            self._connection.close()
            raise ServingError(
                f"{self._url}: no HTTP answer: {type(error).__name__}.\n"
                "Expected a prediction server. Start one: make serve"
            ) from None
        try:
            return Answer(response.status, json.loads(content.decode("utf-8")))
        except ValueError:
            raise ServingError(
                f"{self._url}{path}: answered with status {response.status} and no JSON.\n"
                "Expected a prediction server. Start one: make serve"
            ) from None

    def fetch(self, method: str, path: str, body: Optional[bytes] = None) -> Any:
        """Return the body of a successful answer. Raises ServingError with the server's message otherwise."""
        answer = self.ask(method, path, body)
        if answer.status != 200:
            message = answer.body.get("error", answer.body) if isinstance(answer.body, dict) else answer.body
            raise ServingError(f"{self._url}{path}: answered with status {answer.status}: {message}")
        return answer.body


def predict(
    url: str,
    name: str,
    texts: Sequence[str],
    *,
    labels: Optional[Sequence[str]] = None,
    timeout_s: float = TIMEOUT_S,
) -> List[Prediction]:
    """Return a prediction for each text from the model `name` of the server at `url`.

    The labels are the server's own where none are given; where it knows none (TensorFlow Serving does
    not), the classes are numbered. Raises ServingError.
    """
    predictions: List[Prediction] = []
    with Client(url, timeout_s=timeout_s) as client:
        names = labels if labels is not None else fetch_labels(client, name)
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            rows = fetch_predictions(client, name, chunk)
            predictions += [read_prediction(text, row, names) for text, row in zip(chunk, rows)]
    return predictions


def model_path(name: str) -> str:
    return f"/v1/models/{quote(name, safe='')}"


def fetch_labels(client: Client, name: str) -> Optional[List[str]]:
    labels = client.fetch("GET", f"{model_path(name)}/metadata").get("metadata", {}).get("labels")
    return labels if isinstance(labels, list) else None


def fetch_predictions(client: Client, name: str, texts: Sequence[str]) -> List[Dict[str, Any]]:
    body = json.dumps({"instances": [{"text": text} for text in texts]}).encode("ascii")
    path = f"{model_path(name)}:predict"
    rows = client.fetch("POST", path, body).get("predictions")
    if not isinstance(rows, list) or len(rows) != len(texts):
        raise ServingError(
            f"{path}: expected {len(texts)} predictions. Is this another model? See: make serve"
        )
    return rows


def read_prediction(text: str, row: Any, labels: Optional[Sequence[str]]) -> Prediction:
    """Raises ServingError if the row has not the outputs of our models."""
    try:
        probabilities = [float(value) for value in row["probabilities"]]
        names = [str(index) for index in range(len(probabilities))] if labels is None else list(labels)
        return Prediction(text, row["label"], float(row["confidence"]), dict(named(names, probabilities)))
    except (KeyError, TypeError, ValueError) as error:
        raise ServingError(
            f"the prediction {json.dumps(row)[:200]} is not understood ({error!r}).\n"
            "Expected label, confidence and one probability a label. To serve the project's model: make serve"
        ) from None


def named(names: Sequence[str], probabilities: Sequence[float]) -> List[Tuple[str, float]]:
    if len(names) != len(probabilities):
        raise ValueError(f"{len(names)} labels for {len(probabilities)} probabilities")
    return list(zip(names, probabilities))
