"""The settings of what is served, and of what is kept of it."""

import re
from typing import Any, Dict

from pydantic import Field, validator
from typing_extensions import Literal

from esteira.settings.section import Section, matched

# An image by its digest, so that no one can change what is served.
IMAGE_PATTERN = re.compile(r"^[a-z0-9][a-z0-9.:-]*/[\w./-]+@sha256:[0-9a-f]{64}\Z")
# https://cloud.google.com/bigquery/docs/tables#table_naming, without letters beyond ASCII
TABLE_PATTERN = re.compile(r"^[A-Za-z0-9_]{1,1024}\.[A-Za-z0-9_-]{1,1024}\Z")
# The request log's own tables and views, in esteira/monitoring/views.py, and the dataset they usually lie in.
OWN_DATASET = "esteira"
OWN_TABLES = frozenset({"request_log", "deployed_models", "ground_truth", "requests", "daily", "accuracy"})


class ServingSettings(Section):
    """[serving]: where the prediction server listens, and how much it takes at once."""

    host: str = Field("127.0.0.1", description="The address that `make serve` listens at; 0.0.0.0 is any")
    port: int = Field(8501, ge=0, le=65535, description="The port that it listens at; 0 is any that is free")
    max_batch: int = Field(64, ge=1, description="How many rows the model runs on together, at most")
    max_body_mb: int = Field(8, ge=1, le=1024, description="How large the body of a request may be, in MB")
    max_rows: int = Field(8192, ge=1, description="How many rows a request may have")
    max_waiting: int = Field(
        1024,
        ge=1,
        description="How many rows may wait for the model, over all requests; beyond it a client is told to come again",
    )
    timeout_s: int = Field(
        30, ge=1, le=3600, description="How many seconds a request may take, from its head to its answer"
    )
    latency_ms: int = Field(
        500, ge=1, description="What the smoke test allows a request of one text in the median, in milliseconds"
    )


class LogSettings(Section):
    """[log]: the request log, which every request that was answered gets into."""

    percent: int = Field(
        100, ge=0, le=100, description="The percentage of the requests that are kept, chosen at random; 0 is none"
    )
    text: Literal["keep", "hash", "redact"] = Field(
        "keep",
        description="What becomes of texts before they are written anywhere: hash is their SHA-256, redact a word "
        "that stands for any",
    )
    expiry_days: int = Field(180, ge=1, le=36500, description="After how many days rows go")
    ai_platform: str = Field(
        "",
        description="A table in the form of AI Platform Prediction, dataset.table, that the views read, too; empty is "
        "none",
        example="old_logs.predictions",
    )
    # Google does not say how long that takes, others tell of two to three minutes.
    lands_s: int = Field(
        600,
        ge=1,
        le=3600,
        description="How many seconds a deploy to Google Cloud waits for a request of its own to be in the log",
    )

    @validator("ai_platform")
    def check_ai_platform(cls, value: str) -> str:
        if value and is_own_table(matched(value, TABLE_PATTERN, "dataset.table")):
            raise ValueError(f'is "{value}", which is of the request log itself; expected a table of another name')
        return value


def is_own_table(table: str) -> bool:
    """Whether dataset.table is one of the request log's own, as DuckDB reads names: in whichever case."""
    dataset, _, name = table.lower().rpartition(".")
    return dataset == OWN_DATASET and name in OWN_TABLES


class EndpointSettings(Section):
    """[endpoint]: the Vertex AI endpoint that serves the model."""

    by: Literal["release", "pusher"] = Field(
        "release",
        description="Who deploys: the release, beside the old model and after a smoke test, or TFX's Pusher in the run",
    )
    image: str = Field(
        "",
        description="The image that serves, by its digest; empty is the release's own",
        example=f"europe-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-13@sha256:{'0' * 64}",
    )
    machine_type: str = Field("n1-standard-2", description="The machines that serve")
    min_replicas: int = Field(1, ge=1, description="How many machines each deployed model has, at least")
    max_replicas: int = Field(2, ge=1, description="How many it has at most; at least endpoint.min_replicas")
    cpu_percent: int = Field(
        60, ge=1, le=100, description="The load of the CPUs, in percent, that the number of machines follows"
    )
    accelerator_type: str = Field(
        "", description="The accelerator of each machine; empty is none", example="NVIDIA_TESLA_T4"
    )
    accelerator_count: int = Field(1, ge=1, description="How many of them, where there is an accelerator")
    keep: int = Field(1, ge=0, description="How many former models stay deployed, at no traffic, for a quick rollback")

    @validator("image")
    def check_image(cls, value: str) -> str:
        return matched(value, IMAGE_PATTERN, "host/name@sha256:<64 hex>") if value else value

    @validator("max_replicas")
    def check_replicas(cls, value: int, values: Dict[str, Any]) -> int:
        if value < values.get("min_replicas", 1):
            raise ValueError(f"is {value}; expected at least endpoint.min_replicas, {values['min_replicas']}")
        return value
