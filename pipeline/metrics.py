"""TFMA metrics over class names: they need to know no class in advance.

Each is computed from one confusion matrix that counts pairs of (label, predicted label).
"""

from collections import Counter
from typing import Any, Callable, Dict, Iterable, Optional, Tuple

import apache_beam as beam
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types, metric_util

Confusion = Dict[Tuple[str, str], int]
CONFUSION_NAME = "_label_confusion"


def accuracy(confusion: Confusion) -> float:
    """Return the share of examples with the right class."""
    right = sum(count for (label, predicted), count in confusion.items() if label == predicted)
    return right / max(sum(confusion.values()), 1)


def majority_share(confusion: Confusion) -> float:
    """Return the accuracy of always answering the most frequent class."""
    labels: Counter = Counter()
    for (label, _), count in confusion.items():
        labels[label] += count
    return max(labels.values(), default=0) / max(sum(confusion.values()), 1)


def accuracy_lift(confusion: Confusion) -> float:
    """Return the accuracy less that of always answering the most frequent class."""
    return accuracy(confusion) - majority_share(confusion)


def macro_f1(confusion: Confusion) -> float:
    """Return the mean F1 over the classes that occur as label or as prediction."""
    labels: Counter = Counter()
    predictions: Counter = Counter()
    for (label, predicted), count in confusion.items():
        labels[label] += count
        predictions[predicted] += count
    classes = set(labels) | set(predictions)
    scores = [2 * confusion.get((name, name), 0) / (labels[name] + predictions[name]) for name in classes]
    return sum(sorted(scores)) / max(len(scores), 1)


class ConfusionCombiner(beam.CombineFn):
    """Counts (label, predicted label)."""

    def __init__(self, key: metric_types.MetricKey, eval_config: Optional[tfma.EvalConfig]) -> None:
        self._key = key
        self._eval_config = eval_config

    def create_accumulator(self) -> Confusion:
        return Counter()

    def add_input(self, accumulator: Confusion, element: metric_types.StandardMetricInputs) -> Confusion:
        pairs = metric_util.to_label_prediction_example_weight(
            element, eval_config=self._eval_config, model_name=self._key.model_name, flatten=False
        )
        for label, prediction, _ in pairs:
            accumulator[(as_name(label), as_name(prediction))] += 1
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Confusion]) -> Confusion:
        merged: Counter = Counter()
        for accumulator in accumulators:
            merged.update(accumulator)
        return merged

    def extract_output(self, accumulator: Confusion) -> Dict[metric_types.MetricKey, Any]:
        return {self._key: accumulator}


def as_name(value: Any) -> str:
    """Return the class name that an array of one bytes object or string holds."""
    name = value.reshape(-1)[0]
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)


def confusion_computations(
    compute: Callable[[Confusion], float], key: metric_types.MetricKey, eval_config: Optional[tfma.EvalConfig]
) -> metric_types.MetricComputations:
    """Return the count that all metrics of a model share, and the metric that is made of it."""
    confusion_key = metric_types.MetricKey(name=CONFUSION_NAME, model_name=key.model_name)

    def derive(metrics: Dict[metric_types.MetricKey, Any]) -> Dict[metric_types.MetricKey, float]:
        return {key: compute(metrics[confusion_key])}

    combiner = ConfusionCombiner(confusion_key, eval_config)
    return [
        metric_types.MetricComputation(keys=[confusion_key], preprocessors=None, combiner=combiner),
        metric_types.DerivedMetricComputation(keys=[key], result=derive),
    ]


def accuracy_computations(
    name: str, eval_config: Optional[tfma.EvalConfig] = None, model_name: str = ""
) -> metric_types.MetricComputations:
    key = metric_types.MetricKey(name=name, model_name=model_name)
    return confusion_computations(accuracy, key, eval_config)


def accuracy_lift_computations(
    name: str, eval_config: Optional[tfma.EvalConfig] = None, model_name: str = ""
) -> metric_types.MetricComputations:
    key = metric_types.MetricKey(name=name, model_name=model_name)
    return confusion_computations(accuracy_lift, key, eval_config)


def macro_f1_computations(
    name: str, eval_config: Optional[tfma.EvalConfig] = None, model_name: str = ""
) -> metric_types.MetricComputations:
    key = metric_types.MetricKey(name=name, model_name=model_name)
    return confusion_computations(macro_f1, key, eval_config)


class Accuracy(metric_types.Metric):
    """Share of examples whose class was predicted."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(metric_util.merge_per_key_computations(accuracy_computations), name=name)


class AccuracyLift(metric_types.Metric):
    """Accuracy less the share of the most frequent class: 0 for a model that knows nothing else."""

    def __init__(self, name: str = "accuracy_lift") -> None:
        super().__init__(metric_util.merge_per_key_computations(accuracy_lift_computations), name=name)


class MacroF1(metric_types.Metric):
    """Mean F1 over the classes, each counting the same."""

    def __init__(self, name: str = "macro_f1") -> None:
        super().__init__(metric_util.merge_per_key_computations(macro_f1_computations), name=name)
