"""Pages of the Google Cloud console."""

from urllib.parse import quote, urlencode

from esteira.settings import Settings
from esteira.vertex.names import serving_id

CONSOLE = "https://console.cloud.google.com"


def run_link(settings: Settings, run: str) -> str:
    """Return the page of a run, as the client library has it (_dashboard_uri in aiplatform's pipeline_jobs.py)."""
    place = settings.environment
    query = urlencode({"project": place.project})
    return f"{CONSOLE}/vertex-ai/locations/{place.region}/pipelines/runs/{run}?{query}"


def endpoint_link(settings: Settings) -> str:
    """Return the page of the endpoint that serves, as Vertex AI's own pages link to it."""
    place = settings.environment
    query = urlencode({"project": place.project})
    return f"{CONSOLE}/vertex-ai/online-prediction/locations/{place.region}/endpoints/{serving_id(settings)}?{query}"


def log_link(settings: Settings, filter: str) -> str:
    """Return the page of the Logs Explorer that shows what a filter finds.

    https://cloud.google.com/logging/docs/view/logs-explorer-interface
    """
    query = urlencode({"project": settings.environment.project})
    return f"{CONSOLE}/logs/query;query={quote(filter, safe='')}?{query}"
