"""The PipelineJob that a release's bound job is posted as.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs
"""

import re
from typing import Any, Dict, Mapping

from esteira.google.api import Json
from esteira.jobs.bind import Job
from esteira.settings import Settings

# [a-z][-a-z0-9]{0,127}, as the client library checks it (_VALID_NAME_PATTERN in aiplatform's pipeline_jobs.py).
ID_CHARACTERS = 128
NOT_IN_AN_ID = re.compile(r"[^-a-z0-9]+")
# https://cloud.google.com/resource-manager/docs/labels-overview#requirements
LABEL_CHARACTERS = 63
NOT_IN_A_LABEL = re.compile(r"[^-_a-z0-9]")
FAILURE_POLICIES = {
    "fast": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
    "slow": "PIPELINE_FAILURE_POLICY_FAIL_SLOW",
}


def make_run_id(pipeline: str, release: str, build: str) -> str:
    """Return the id of the one run that a build makes of a release, so that no request makes a second one."""
    return NOT_IN_AN_ID.sub("-", f"{pipeline}-{release}-{build}".lower())[:ID_CHARACTERS].rstrip("-")


def run_name(settings: Settings, run: str) -> str:
    """Return the resource name of a run, by its id or such a name with the project's number."""
    return f"{settings.environment.location}/pipelineJobs/{run.rpartition('/')[2]}"


def make_body(settings: Settings, job: Job, labels: Mapping[str, str]) -> Json:
    """Return a bound job as the body that Vertex AI takes, `labels` beside the job's own."""
    place = settings.environment
    policy = FAILURE_POLICIES[settings.cloud.failure_policy]
    body: Dict[str, Any] = {
        "displayName": job.get("displayName", settings.pipeline.name),
        "labels": valid_labels({**job.get("labels", {}), **labels}),
        "pipelineSpec": job["pipelineSpec"],
        "runtimeConfig": {**job["runtimeConfig"], "failurePolicy": policy},
        "serviceAccount": place.runner_email,
    }
    if place.network:
        body["network"] = place.network
    if place.kms_key:
        body["encryptionSpec"] = {"kmsKeyName": place.kms_key}
    return body


def run_labels(settings: Settings, release: str, build: str) -> Dict[str, str]:
    """Return the labels that tell whose a run is; several environments may share a project."""
    whose = {"pipeline": settings.pipeline.name, "environment": settings.selected}
    return valid_labels({**whose, "release": release, "build": build})


def valid_labels(labels: Mapping[str, str]) -> Dict[str, str]:
    """Return labels as Google Cloud takes them: lower-case letters, digits, dashes and underscores."""
    return {key: NOT_IN_A_LABEL.sub("-", value.lower())[:LABEL_CHARACTERS] for key, value in labels.items()}
