"""Loading a model into this process, beside those that it serves already."""

import ctypes
import gc
import os
import sys
import time
import warnings
from contextlib import suppress

from esteira.clock import now
from esteira.errors import ServingError
from esteira.serving.batcher import Batcher
from esteira.serving.catalogue import ServedModel
from esteira.serving.identity import Candidate, deployed_as
from esteira.serving.saved_model import check_model_dir, model_version, read_labels

LIBRARY = "esteira.serving.tensorflow_model"


def load_model(candidate: Candidate, *, max_batch: int, max_waiting: int) -> ServedModel:
    """Return the model, loaded and warm, its batcher not yet started. Raises ServingError."""
    check_model_dir(candidate.model_dir)
    labels = read_labels(candidate.model_dir)
    quiet_tensorflow()
    is_first = LIBRARY not in sys.modules
    # Here, and not above, since it takes seconds: the port and the folder are checked first.
    from esteira.serving.tensorflow_model import TensorFlowModel

    if is_first:
        freeze_libraries()
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


def quiet_tensorflow() -> None:
    """Keep notes that nobody can act on out of the log; TensorFlow reads this when it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Google's libraries warn that Python 3.8 has ended, and TFX 1.14 allows no later one.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")


def freeze_libraries() -> None:
    """Leave all that is imported out of later collections, which would walk through the whole of TensorFlow.

    Models are loaded afterwards, and stay within reach of the collector, which is to let go of them one day.
    """
    gc.collect()
    gc.freeze()


def release_memory() -> None:
    """Let go of models that are no longer used: their parts refer to each other, so that only a collection finds them.

    What is free then goes back to the system.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def wait_until_unasked(model: ServedModel, pause_s: float = 0.02) -> None:
    """Return when a model that gets no new requests has answered those that it had."""
    while model.asked:
        time.sleep(pause_s)
