"""The tables of the request log: what each is for, and how BigQuery lays it out."""

from typing import NamedTuple, Tuple

REQUEST_LOG = "request_log"


class Form(NamedTuple):
    """What a table is for, the column that it has a partition a day of, "" for none, and what it is clustered by."""

    why: str
    day: str = ""
    clustering: Tuple[str, ...] = ()


# Each has its columns in sql/<name>.json. The first is as Vertex AI writes it, clustered by what a question asks for.
# https://cloud.google.com/vertex-ai/docs/predictions/online-prediction-logging
FORMS = {
    REQUEST_LOG: Form(
        "requests and responses, as the endpoint logs them",
        day="logging_time",
        clustering=("endpoint", "deployed_model_id"),
    ),
    "deployed_models": Form("which release each deployed model is, its classes and its signature"),
    "ground_truth": Form("what is true of a request, as it is told later"),
}


def schema_path(name: str) -> str:
    """Return where in a repository a table's columns stand."""
    return f"sql/{name}.json"
