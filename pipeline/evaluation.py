"""The gate: how a model is measured, and what it must reach to be blessed."""

import json
from typing import Optional

import tensorflow_model_analysis as tfma

from esteira.settings import GateSettings
from modules import features

SIGNATURE = "evaluate"
METRICS_MODULE = "pipeline.metrics"


def create_eval_config(gate: GateSettings) -> tfma.EvalConfig:
    """Return metrics overall and by source, with absolute thresholds and one against the baseline."""
    macro_f1 = tfma.MetricThreshold(
        value_threshold=at_least(gate.macro_f1),
        change_threshold=tfma.GenericChangeThreshold(
            absolute={"value": gate.macro_f1_change},
            direction=tfma.MetricDirection.HIGHER_IS_BETTER,
        ),
    )
    lift = tfma.MetricThreshold(value_threshold=at_least(gate.accuracy_lift))
    metrics = [
        metric("ExampleCount", "example_count", None),
        metric("Accuracy", "accuracy", None, METRICS_MODULE),
        metric("AccuracyLift", "accuracy_lift", lift, METRICS_MODULE),
        metric("MacroF1", "macro_f1", macro_f1, METRICS_MODULE),
    ]
    options = tfma.Options()
    options.include_default_metrics.value = False
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name=SIGNATURE,
                model_type="tf_generic",
                label_key=features.LABEL,
                prediction_key="label",
            )
        ],
        slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=[features.SOURCE])],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
        options=options,
    )


def at_least(bound: float) -> tfma.GenericValueThreshold:
    return tfma.GenericValueThreshold(lower_bound={"value": bound})


def metric(
    class_name: str, name: str, threshold: Optional[tfma.MetricThreshold], module: str = ""
) -> tfma.MetricConfig:
    config = tfma.MetricConfig(class_name=class_name, module=module, config=json.dumps({"name": name}))
    if threshold:
        # Overall only: MetricConfig.threshold would hold for each slice, however few examples it has.
        overall = tfma.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=threshold)
        config.per_slice_thresholds.append(overall)
    return config
