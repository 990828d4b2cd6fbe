"""A model small enough for a test: "good" speaks for positive."""

import json
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from esteira.clock import now
from esteira.release.history import keep_release, make_current
from esteira.release.manifest import Outcome, Part, Release, identified
from esteira.release.store import open_store
from esteira.release.store.interface import ABSENT
from esteira.serving.check_signatures import delimited
from esteira.serving.refusal import Refusal
from esteira.serving.request import PredictRequest, parse_request
from esteira.serving.signature import Signature, TensorSpec
from esteira.settings import Settings

LABELS = ["negative", "positive"]
TEXT: Mapping[str, Sequence[Any]] = {"text": ("DT_STRING",)}
OUTPUTS = {"label": ("DT_STRING",), "confidence": ("DT_FLOAT",), "probabilities": ("DT_FLOAT", 2)}
TEXTS = ["good", "a bad film", ""]
DEFAULT = "serving_default"
NUMBERS = {"DT_FLOAT": 1, "DT_STRING": 7, "DT_INT64": 9}
MAX_ROWS = 8192


def prediction(text: str) -> Dict[str, Any]:
    positive = 0.75 if "good" in text else 0.25
    label = LABELS[1] if positive > 0.5 else LABELS[0]
    return {"label": label, "confidence": max(positive, 1 - positive), "probabilities": [1 - positive, positive]}


def recorded() -> Dict[str, List[Dict[str, Any]]]:
    """Return what the model's training records."""
    return {"instances": [{"text": text} for text in TEXTS], "predictions": [*map(prediction, TEXTS)]}


def answer(body: bytes) -> Tuple[int, Any]:
    """Return the status and the JSON that our server gives a body; the model has serving_default alone."""
    try:
        asked = parse_request(body, {DEFAULT: SIGNATURE}, MAX_ROWS)
    except Refusal as refusal:
        return refusal.status, {"error": refusal.message}
    return 200, answered(asked)


def answered(asked: PredictRequest) -> Dict[str, Any]:
    rows = [prediction(text.decode("utf-8")) for text in asked.arrays["text"].tolist()]
    columns = {name: [row[name] for row in rows] for name in OUTPUTS}
    return {"predictions": rows} if asked.by_row else {"outputs": columns}


def specs(described: Mapping[str, Sequence[Any]]) -> Tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name, dtype, (None, *sizes)) for name, (dtype, *sizes) in sorted(described.items()))


SIGNATURE = Signature(DEFAULT, specs(TEXT), specs(OUTPUTS))


def saved_model(signatures: Mapping[str, Any] = {DEFAULT: (TEXT, OUTPUTS)}) -> bytes:
    """Return the bytes of a saved_model.pb that has signatures {name: ({input: (dtype, size...)}, {output: ...})}."""
    serve = delimited(1, delimited(4, b"serve"))
    entries = [
        delimited(5, entry(name, b"".join(delimited(1, tensor) for tensor in infos(inputs)) + outputs_of(outputs)))
        for name, (inputs, outputs) in signatures.items()
    ]
    return b"\x08\x01" + delimited(2, serve + b"".join(entries))


def outputs_of(outputs: Mapping[str, Sequence[Any]]) -> bytes:
    return b"".join(delimited(2, tensor) for tensor in infos(outputs))


def infos(described: Mapping[str, Sequence[Any]]) -> List[bytes]:
    """Return the entries of a map of TensorInfo: the dtype in 2, the shape in 3, whose open size is -1."""
    open_size = delimited(2, b"\x08" + b"\xff" * 9 + b"\x01")
    return [
        entry(
            name,
            bytes([2 << 3, NUMBERS[dtype]])
            + delimited(3, open_size + b"".join(delimited(2, bytes([8, size])) for size in sizes)),
        )
        for name, (dtype, *sizes) in described.items()
    ]


def entry(key: str, value: bytes) -> bytes:
    return delimited(1, key.encode()) + delimited(2, value)


def model_files() -> Dict[str, bytes]:
    """Return the files of the model's folder that are read without TensorFlow, by their paths."""
    return {
        "saved_model.pb": saved_model(),
        "assets.extra/labels.json": json.dumps({"labels": LABELS}).encode(),
        "assets.extra/smoke.json": json.dumps(recorded()).encode(),
    }


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
    for name, content in model_files().items():
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_bytes(content)
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
