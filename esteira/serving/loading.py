"""Loading a model into this process, beside those that it serves already."""

import ctypes
import gc
import os
import sys
import time
import warnings
from contextlib import contextmanager, suppress
from typing import Iterator

from esteira.clock import now
from esteira.errors import ServingError
from esteira.serving.batcher import Batcher
from esteira.serving.catalogue import ServedModel
from esteira.serving.identity import Candidate, deployed_as
from esteira.serving.saved_model import check_model_dir, model_version, read_labels

# Of Python's turns between threads. Loading is work in Python: with the usual 5 ms each answer would wait for several.
SWITCH_S = 0.0005


def load_model(candidate: Candidate, *, max_batch: int, max_waiting: int) -> ServedModel:
    """Return the model, loaded and warm, its batcher not yet started. Raises ServingError."""
    check_model_dir(candidate.model_dir)
    labels = read_labels(candidate.model_dir)
    quiet_tensorflow()
    with short_turns():
        # Here, and not above, since it takes seconds: the port and the folder are checked first.
        from esteira.serving.tensorflow_model import TensorFlowModel

        model = TensorFlowModel(candidate.model_dir)
        try:
            model.warm_up()
        except Exception as error:
            raise ServingError(
                f"{candidate.model_dir}: the model fails on an empty input: {error}\n"
                "Train and push it again: make deploy-full"
            ) from error
    version = model_version(candidate.model_dir)
    batcher = Batcher(model.run, max_batch=max_batch, max_waiting=max_waiting)
    deployed = deployed_as(candidate.identity, version, labels, model.signatures)
    return ServedModel(candidate.name, version, model.signatures, labels, batcher, deployed, now())


@contextmanager
def short_turns() -> Iterator[None]:
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)


def quiet_tensorflow() -> None:
    """Keep notes that nobody can act on out of the log; TensorFlow reads this when it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Google's libraries warn that Python 3.8 has ended, and TFX 1.14 allows no later one.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")


def settle_memory() -> None:
    """Let go of a model that is no longer used, and leave those that stay out of later collections.

    What is loaded stays: without this, every full collection would walk through all of TensorFlow. A model's parts
    refer to each other, so that only a collection finds them; what is free then goes back to the system.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def wait_until_unasked(model: ServedModel, pause_s: float = 0.02) -> None:
    """Return when a model that gets no new requests has answered those that it had."""
    while model.asked:
        time.sleep(pause_s)
