"""The component that writes what the Evaluator decided, and why, as JSON."""

import json
from typing import Any, Dict, List, Optional

import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tfx.v1.dsl.components import InputArtifact, OutputArtifact, component
from tfx.v1.types.standard_artifacts import ModelBlessing, ModelEvaluation

REPORT_FILE = "report.json"
# The names that the Evaluator and TFMA give their files and models.
BLESSED_FILE = "BLESSED"
CONFIG_FILE = "eval_config.json"
OVERALL = ""
CANDIDATE = "candidate"
BASELINE = "baseline"

Metrics = Dict[str, float]
Row = Dict[str, Any]


@component
def EvaluationReport(
    evaluation: InputArtifact[ModelEvaluation],
    blessing: InputArtifact[ModelBlessing],
    report: OutputArtifact[ModelEvaluation],
) -> None:
    """Write report.json: metrics, slices, and each threshold with value, bound and baseline."""
    content = describe_evaluation(evaluation.uri, tf.io.gfile.exists(f"{blessing.uri}/{BLESSED_FILE}"))
    tf.io.gfile.makedirs(report.uri)
    with tf.io.gfile.GFile(f"{report.uri}/{REPORT_FILE}", "w") as stream:
        stream.write(json.dumps(content, indent=2, sort_keys=True) + "\n")


def describe_evaluation(folder: str, blessed: bool) -> Dict[str, Any]:
    """Return the report of an evaluation that TFMA wrote to a folder."""
    with tf.io.gfile.GFile(f"{folder}/{CONFIG_FILE}") as stream:
        written = json.load(stream)
    config = json_format.ParseDict(written["evalConfig"], tfma.EvalConfig())
    slices = read_slices(folder)
    overall = slices.pop(OVERALL)
    metrics, baseline_metrics = overall[CANDIDATE], overall.get(BASELINE)
    return {
        "blessed": blessed,
        "baseline": written.get("modelLocations", {}).get(BASELINE),
        "metrics": metrics,
        "baseline_metrics": baseline_metrics,
        "thresholds": list_thresholds(config, metrics, baseline_metrics),
        "slices": {name: models[CANDIDATE] for name, models in sorted(slices.items())},
    }


def read_slices(folder: str) -> Dict[str, Dict[str, Metrics]]:
    """Return {slice: {model: {metric: value}}}; the overall slice is "", one is "source=tweets"."""
    slices: Dict[str, Dict[str, Metrics]] = {}
    for record in tfma.load_metrics(folder):
        keys = record.slice_key.single_slice_keys
        name = ",".join(f"{key.column}={slice_value(key)}" for key in keys)
        for pair in record.metric_keys_and_values:
            if pair.key.is_diff or not pair.value.HasField("double_value"):
                continue
            # TFMA leaves the name out where there is one model.
            model = pair.key.model_name or CANDIDATE
            slices.setdefault(name, {}).setdefault(model, {})[pair.key.name] = pair.value.double_value.value
    return slices


def slice_value(key: Any) -> str:
    kind = key.WhichOneof("kind")
    value = getattr(key, kind) if kind else ""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def list_thresholds(config: tfma.EvalConfig, metrics: Metrics, baseline: Optional[Metrics]) -> List[Row]:
    """Return each threshold that held for this evaluation; no baseline, no threshold on the change."""
    rows = []
    for metric in (metric for spec in config.metrics_specs for metric in spec.metrics):
        name = json.loads(metric.config)["name"]
        for threshold in (of_slice.threshold for of_slice in metric.per_slice_thresholds):
            if threshold.HasField("value_threshold"):
                bound = threshold.value_threshold.lower_bound.value
                rows.append(describe_threshold(name, "value", metrics[name], bound, None))
            if baseline and threshold.HasField("change_threshold"):
                change = metrics[name] - baseline[name]
                bound = threshold.change_threshold.absolute.value
                rows.append(describe_threshold(name, "change", change, bound, baseline[name]))
    return rows


def describe_threshold(name: str, kind: str, value: float, bound: float, baseline: Optional[float]) -> Row:
    row = {"metric": name, "kind": kind, "value": value, "bound": bound, "baseline": baseline}
    return {**row, "passed": value >= bound}
