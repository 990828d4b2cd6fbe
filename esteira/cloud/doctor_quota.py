"""Whether Vertex AI lends the project as many CPUs as a run asks for.

https://cloud.google.com/service-usage/docs/reference/rest/v1beta1/services.consumerQuotaMetrics/get tells limits, not
what is in use. Accelerators and the endpoint's machines have quotas of their own, which are not looked at.
"""

import re
from typing import Iterator, Optional
from urllib.parse import quote, urlencode

from esteira.doctor.finding import Finding
from esteira.errors import GoogleError
from esteira.google.api import Api, Json
from esteira.google.refusals import concerns_login
from esteira.settings import Settings

# The tasks of a pipeline run as custom jobs. https://cloud.google.com/vertex-ai/docs/quotas#custom-trained_models
METRIC = "aiplatform.googleapis.com/custom_model_training_cpus"


def check_quota(settings: Settings, api: Api) -> Iterator[Finding]:
    """Yield whether the limit in the region is as large as one run needs. Raises GoogleError for a login of no use."""
    needed = cpus(settings)
    vertex = f"v1beta1/projects/{api.project}/services/aiplatform.googleapis.com"
    path = f"{vertex}/consumerQuotaMetrics/{quote(METRIC, safe='')}"
    try:
        metric = api.call("read a quota", "serviceusage", "GET", path, query={"view": "FULL"})
    except GoogleError as error:
        if concerns_login(error):
            raise
        yield Finding("quota", None, f"not checked: {str(error).splitlines()[0]}", f"Look: {page(api.project)}")
        return
    limit = limit_in(metric, api.region)
    if limit is None:
        yield Finding("quota", None, f"not checked: no limit is told for {api.region}", f"Look: {page(api.project)}")
    elif 0 <= limit < needed:
        said = f"{limit} CPUs for training in {api.region}; a run needs {needed}"
        yield Finding("quota", False, said, f"Ask for more of {METRIC}: {page(api.project)}")
    else:
        held = "no limit on" if limit < 0 else str(limit)
        yield Finding("quota", True, f"{held} CPUs for training in {api.region}; a run needs {needed}")


def limit_in(metric: Json, region: str) -> Optional[int]:
    """Return the limit in a region, -1 for none; None if Google does not tell it."""
    buckets = [bucket for limit in metric.get("consumerQuotaLimits", []) for bucket in limit.get("quotaBuckets", [])]
    here = [bucket for bucket in buckets if bucket.get("dimensions", {}).get("region") == region]
    everywhere = [bucket for bucket in buckets if not bucket.get("dimensions")]
    found = [bucket["effectiveLimit"] for bucket in here + everywhere if "effectiveLimit" in bucket]
    return int(found[0]) if found else None


def cpus(settings: Settings) -> int:
    """Return the CPUs of the largest task: where a custom job trains, those of its machines."""
    trainer = settings.trainer
    if trainer.place == "task":
        return trainer.cpus
    named = re.search(r"-([0-9]+)(?:-[a-z]+)?$", trainer.machine_type)
    return (int(named.group(1)) if named else 1) * trainer.workers


def page(project: str) -> str:
    return f"https://console.cloud.google.com/iam-admin/quotas?{urlencode({'project': project})}"
