"""metrics.md: what the prediction server counts, as esteira/serving/metrics.py declares it."""

import ast
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from esteira.reference.constants import constants_of, keep_constant, parsed, value_of
from esteira.reference.faults import Faults

FILE = Path("esteira") / "serving" / "metrics.py"
BOUNDS = Path("esteira") / "serving" / "counts.py"
KINDS = {"CounterMetricFamily": "counter", "GaugeMetricFamily": "gauge", "HistogramMetricFamily": "histogram"}
# Prometheus' names of a histogram's series. https://prometheus.io/docs/concepts/metric_types/#histogram
HISTOGRAM = ("_bucket", "_sum", "_count")


class Metric(NamedTuple):
    """A metric, by the name that Prometheus shows."""

    name: str
    kind: str
    labels: Tuple[str, ...]
    help: str


def metrics_page(root: Path) -> Dict[str, Any]:
    """Return what the page is made of; TemplateError for a metric without help."""
    faults = Faults()
    metrics = read_metrics(root)
    for metric in metrics:
        faults.expect(metric.help, f"{FILE}: {metric.name}", "its help, behind its name")
    faults.check()
    bounds = constants_of(root / BOUNDS)
    return {"metrics": metrics, "series": HISTOGRAM, "seconds": bounds["LATENCIES_S"], "rows": bounds["BATCH_ROWS"]}


def read_metrics(root: Path) -> List[Metric]:
    """Return the metrics in the order in which the server tells them."""
    known = constants_of(root / FILE)
    functions = [node for node in ast.walk(parsed(root / FILE)) if isinstance(node, ast.FunctionDef)]
    return [metric for function in functions for metric in metrics_in(function, dict(known))]


def metrics_in(function: ast.FunctionDef, known: Dict[str, Any]) -> Iterator[Metric]:
    """Yield the metrics that a function makes, line by line: a name may stand for another text further down."""
    for statement in function.body:
        keep_constant(statement, known)
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                yield metric_of(node, KINDS[node.func.id], known)


def metric_of(call: ast.Call, kind: str, known: Dict[str, Any]) -> Metric:
    name, help_text = (value_of(argument, known) for argument in call.args[:2])
    labels = next((value_of(keyword.value, known) for keyword in call.keywords if keyword.arg == "labels"), ())
    return Metric(f"{name}_total" if kind == "counter" else name, kind, labels, help_text)
