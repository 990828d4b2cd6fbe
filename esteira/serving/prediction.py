"""What a model answers, and what one of our models makes of a text."""

import json
from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from esteira.errors import ServingError


class Answered(NamedTuple):
    """What one request was answered: a prediction for each instance, and who made them.

    `request_id` is the number that the request log has it under, "" where it is not told; `deployed_id` that of the
    deployed model, `version` and `release` its version and the release that made it, "" where they are not known.
    """

    predictions: List[Any]
    request_id: str = ""
    deployed_id: str = ""
    version: str = ""
    release: str = ""


NOBODY = Answered([])


@dataclass(frozen=True)
class Prediction:
    """What the model makes of a text; `probabilities` by label, in the model's order.

    `request_id` and `row_number`, from 0, are what the request log knows it by. What is not known is "".
    """

    text: str
    label: str
    confidence: float
    probabilities: Dict[str, float]
    request_id: str = ""
    row_number: int = 0
    model_version: str = ""
    release: str = ""


def read_prediction(
    text: str, row: Any, labels: Optional[Sequence[str]], answered: Answered = NOBODY, row_number: int = 0
) -> Prediction:
    """Raises ServingError if the row has not the outputs of our models."""
    try:
        probabilities = [float(value) for value in row["probabilities"]]
        by_label = dict(named(probabilities, labels))
        if not isinstance(row["label"], str):
            raise TypeError(f"label is {type(row['label']).__name__}")
        confidence = float(row["confidence"])
    except (KeyError, TypeError, ValueError) as error:
        raise ServingError(
            f"the prediction {json.dumps(row)[:200]} is not understood ({error!r}).\n"
            "Expected label, confidence and one probability a label. To serve the project's model: make serve"
        ) from None
    made_by = (answered.request_id, row_number, answered.version, answered.release)
    return Prediction(text, row["label"], confidence, by_label, *made_by)


def named(probabilities: Sequence[float], labels: Optional[Sequence[str]]) -> List[Tuple[str, float]]:
    """Return the probabilities with their labels; classes without names are numbered. Raises ValueError."""
    names = [str(index) for index in range(len(probabilities))] if labels is None else list(labels)
    if len(names) != len(probabilities):
        raise ValueError(f"{len(names)} labels for {len(probabilities)} probabilities")
    return list(zip(names, probabilities))
