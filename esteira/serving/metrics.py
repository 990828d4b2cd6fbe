"""What the server counts, in Prometheus' text format: read from plain numbers when somebody asks.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from typing import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from esteira.serving.bodies import Bodies
from esteira.serving.catalogue import Catalogue
from esteira.serving.counts import Counts

METRICS_TYPE = CONTENT_TYPE_LATEST
MODEL = ("deployed_model", "version")


class Metrics(Collector):
    """Collects from the counts of one server, in a registry of its own."""

    def __init__(self, catalogue: Catalogue, counts: Counts, bodies: Bodies) -> None:
        self._catalogue = catalogue
        self._counts = counts
        self._bodies = bodies
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return all metrics as Prometheus reads them."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        yield from self._requests()
        yield from self._models()
        yield from self._numbers()

    def _requests(self) -> Iterator[Metric]:
        help_text = "Answers by route, status and version of the model; 499: the client left before"
        answers = CounterMetricFamily("esteira_requests", help_text, labels=("route", "status", "version"))
        for (route, status, version), count in sorted(self._counts.answers.items()):
            answers.add_metric((route, str(status), version), count)
        yield answers
        rows = CounterMetricFamily("esteira_rows", "Rows that the model answered", labels=("version",))
        for version, count in sorted(self._counts.rows.items()):
            rows.add_metric((version,), count)
        yield rows
        latency = self._counts.latency
        help_text = "Time from a prediction's head to its answer"
        seconds = HistogramMetricFamily("esteira_request_seconds", help_text)
        seconds.add_metric((), latency.buckets(), latency.total)
        yield seconds

    def _models(self) -> Iterator[Metric]:
        shares = self._catalogue.shares
        told = ("endpoint", *MODEL, "release")
        info = GaugeMetricFamily("esteira_model_info", "A model that is deployed; always 1", labels=told)
        percent = GaugeMetricFamily("esteira_traffic_percent", "Share of the traffic", labels=MODEL)
        batches = HistogramMetricFamily("esteira_batch_rows", "Rows that the model ran on together", labels=MODEL)
        waiting = GaugeMetricFamily("esteira_waiting_rows", "Rows that wait for the model", labels=MODEL)
        for model, share in shares:
            deployed = model.deployed
            labels = (deployed.id, deployed.model_version)
            info.add_metric((deployed.endpoint, *labels, deployed.release), 1)
            percent.add_metric(labels, share)
            batches.add_metric(labels, model.batcher.batches.buckets(), model.batcher.batches.total)
            waiting.add_metric(labels, model.batcher.waiting_rows)
        yield from (info, percent, batches, waiting)

    def _numbers(self) -> Iterator[Metric]:
        counts = self._counts
        is_ready = int(self._catalogue.is_ready)
        yield GaugeMetricFamily("esteira_ready", "1 while a model is loaded and the server is not stopping", is_ready)
        held_bytes = self._bodies.held_bytes
        yield GaugeMetricFamily("esteira_held_body_bytes", "Bodies that are held until they are answered", held_bytes)
        yield CounterMetricFamily("esteira_reloads", "Times that other models took over", counts.reloads)
        failed = counts.failed_reloads
        yield CounterMetricFamily("esteira_failed_reloads", "Times that a model could not be loaded", failed)
        yield CounterMetricFamily("esteira_log_records", "Requests handed to the request log", counts.log_records)
        yield CounterMetricFamily("esteira_log_failures", "Requests that it could not keep", counts.log_failures)
