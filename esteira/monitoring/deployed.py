"""A model that answers requests, as the request log tells of it."""

from dataclasses import dataclass
from typing import Tuple

from esteira.serving.signature import TensorSpec


@dataclass(frozen=True)
class Deployed:
    """What the table `deployed_models` has a row of.

    `endpoint` is its resource name, such as projects/1/locations/europe-west1/endpoints/sentiment-dev; `id` that of
    the deployed model; `release` the id of the release that made the model; `labels` the names of the classes in
    the order of the probabilities; `inputs` and `outputs` those of the signature serving_default.
    """

    endpoint: str
    id: str
    model_version: str
    release: str
    labels: Tuple[str, ...] = ()
    inputs: Tuple[TensorSpec, ...] = ()
    outputs: Tuple[TensorSpec, ...] = ()
