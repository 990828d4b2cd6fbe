import re
from pathlib import Path

from esteira.reference.pages import render_page
from esteira.reference.server_metrics import read_metrics
from esteira.serving.bodies import Bodies
from esteira.serving.catalogue import Catalogue
from esteira.serving.counts import BATCH_ROWS, LATENCIES_S, Counts
from esteira.serving.limits import Limits
from esteira.serving.metrics import Metrics
from tests.conftest import REPOSITORY
from tests.reference.conftest import replace


def test_metrics_are_those_that_a_server_tells() -> None:
    text = Metrics(Catalogue("sentiment", "endpoint"), Counts(), Bodies(Limits())).text().decode()
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    kinds = dict(re.findall(r"^# TYPE (\S+) (.*)$", text, re.MULTILINE))
    found = read_metrics(REPOSITORY)
    assert {metric.name: metric.help for metric in found} == helps
    assert {metric.name: metric.kind for metric in found} == kinds


def test_labels_are_read_where_they_are_a_list_and_where_a_name_stands_for_them() -> None:
    labels = {metric.name: metric.labels for metric in read_metrics(REPOSITORY)}
    assert labels["esteira_requests_total"] == ("route", "status", "version")
    assert labels["esteira_model_info"] == ("endpoint", "deployed_model", "version", "release")
    assert labels["esteira_ready"] == ()


def test_every_label_and_bound_is_there() -> None:
    text = render_page("metrics.md", REPOSITORY)
    labels = {label for metric in read_metrics(REPOSITORY) for label in metric.labels}
    assert [label for label in labels if f"\n| `{label}` | " not in text] == []
    assert ", ".join(map(str, LATENCIES_S)) in text
    assert ", ".join(str(int(bound)) for bound in BATCH_ROWS) in text


def test_a_metric_that_is_added_appears(root: Path) -> None:
    line = '        yield GaugeMetricFamily("esteira_moons", "Moons of the server", 1)\n        counts = self._counts\n'
    replace(root / "esteira" / "serving" / "metrics.py", "        counts = self._counts\n", line)
    assert "\n| `esteira_moons` | gauge |  | Moons of the server |\n" in render_page("metrics.md", root)
