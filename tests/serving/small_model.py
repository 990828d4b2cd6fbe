"""A model small enough for a test: "good" speaks for positive."""

from pathlib import Path
from typing import Any, Dict, Mapping, Sequence

from esteira.clock import now
from esteira.release.history import keep_release, make_current
from esteira.release.manifest import Outcome, Part, Release, identified
from esteira.release.store import open_store
from esteira.release.store.interface import ABSENT
from esteira.settings import Settings

LABELS = ["negative", "positive"]
TEXT: Mapping[str, Sequence[Any]] = {"text": ("DT_STRING",)}
OUTPUTS = {"label": ("DT_STRING",), "confidence": ("DT_FLOAT",), "probabilities": ("DT_FLOAT", 2)}


def prediction(text: str) -> Dict[str, Any]:
    positive = 0.75 if "good" in text else 0.25
    label = LABELS[1] if positive > 0.5 else LABELS[0]
    return {"label": label, "confidence": max(positive, 1 - positive), "probabilities": [1 - positive, positive]}


def metadata(name: str, version: str, signatures: Mapping[str, Any]) -> Dict[str, Any]:
    """Return what GET .../metadata answers for signatures {name: ({input: (dtype, size...)}, {output: ...})}."""
    described = {
        signature: {"inputs": tensors(inputs), "outputs": tensors(outputs), "method_name": "tensorflow/serving/predict"}
        for signature, (inputs, outputs) in signatures.items()
    }
    spec = {"name": name, "signature_name": "", "version": version}
    return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": described}, "labels": LABELS}}


def tensors(described: Mapping[str, Sequence[Any]]) -> Dict[str, Any]:
    return {
        name: {
            "dtype": dtype,
            "tensor_shape": {"dim": [{"size": str(size)} for size in (-1, *sizes)], "unknown_rank": False},
        }
        for name, (dtype, *sizes) in described.items()
    }


def deployed_model(settings: Settings, version: str) -> Release:
    """Make a release current whose model lies in the environment's store; return it."""
    store = open_store(settings)
    model = settings.state / "bucket" / settings.pipeline.name / "serving" / version
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_bytes(b"")
    release = identified(
        Release(
            id="0" * 12,
            pipeline=settings.pipeline.name,
            commit="c" * 40,
            dirty=False,
            kind="full",
            parts={"data": Part(digest="sha256:" + "a" * 64)},
            at=now(),
            outcome=Outcome(run="run", at=now(), blessed=True, model=str(model)),
        )
    )
    kept = keep_release(store, release)
    make_current(store, kept.id, if_generation=ABSENT)
    return kept


def model_folder(settings: Settings, version: str) -> Path:
    return settings.state / "bucket" / settings.pipeline.name / "serving" / version
