"""The APIs that a project must have enabled, and what is known of the project through them.

Asked of Service Usage, which every project has enabled: so that the first plan of a fresh project works.
https://cloud.google.com/service-usage/docs/enabled-service
"""

import time
from typing import Dict, List, NamedTuple

from esteira.cloud.part import OPERATION_S, Part
from esteira.cloud.row import Row
from esteira.errors import GoogleError
from esteira.google.api import Api, Pause
from esteira.google.operations import wait_for_operation
from esteira.google.refusals import OTHER_PROJECT, RefusedError

DOMAIN = ".googleapis.com"
SERVICES = {
    "aiplatform": "runs the pipeline, keeps its models, serves them",
    "artifactregistry": "keeps the images",
    "bigquery": "keeps the request log",
    "cloudbuild": "runs the steps of a deploy",
    "cloudresourcemanager": "tells who may do what in the project",
    "compute": "the machines and networks that Vertex AI trains and serves on",
    "iam": "keeps the service accounts",
    "iamcredentials": "lends GitHub's workflows a service account without a key",
    "logging": "keeps the logs of builds, runs and models",
    "secretmanager": "keeps what a build must know and nobody may read",
    "serviceusage": "tells which APIs are enabled",
    "storage": "keeps releases and what they are made of",
    "sts": "exchanges GitHub's token for one of Google's",
}


class ProjectError(GoogleError):
    """The project is not there, or whoever asks may not see it, so that nothing else can be asked."""


class Enabled(NamedTuple):
    """The project's number, and for each API of SERVICES whether it is enabled."""

    number: str
    services: Dict[str, bool]


def read_services(api: Api) -> Enabled:
    """Return the project's number and its APIs. Raises ProjectError if it is not to be had."""
    names = [f"projects/{api.project}/services/{name}{DOMAIN}" for name in sorted(SERVICES)]
    what, path = "read which APIs are enabled", f"v1/projects/{api.project}/services:batchGet"
    try:
        answer = api.call(what, "serviceusage", "GET", path, query={"names": names})
    except GoogleError as error:
        if error.status in (403, 404) and error.reason not in ("SERVICE_DISABLED", OTHER_PROJECT):
            raise wrong_project(api, error) from error
        raise
    found = {entry["name"].rpartition("/")[2]: entry for entry in answer.get("services", [])}
    number = next((entry["parent"].rpartition("/")[2] for entry in found.values() if entry.get("parent")), "")
    states = {name: found.get(name + DOMAIN, {}).get("state") == "ENABLED" for name in SERVICES}
    return Enabled(number, states)


def wrong_project(api: Api, error: GoogleError) -> ProjectError:
    said = error.said if isinstance(error, RefusedError) else str(error)
    role = "--member=user:NAME@EXAMPLE.COM --role=roles/serviceusage.serviceUsageConsumer"
    return ProjectError(
        f'environments.{api.environment}.project: "{api.project}" does not exist, or you may not see it: {said}\n'
        "Expected the id of a project, not its name or number. To list yours: gcloud projects list    "
        "To see who asks: gcloud auth list\n"
        f"If all is right, have an owner run: gcloud projects add-iam-policy-binding {api.project} {role}",
        error.status,
        error.reason,
    )


class Services(Part):
    """The APIs of SERVICES. They stay enabled when an environment is removed: others may need them."""

    service = "serviceusage"

    def __init__(self, enabled: Enabled) -> None:
        self._enabled = enabled

    def look(self, api: Api) -> List[Row]:
        return [
            Row("ok" if self._enabled.services[name] else "missing", "API", name + DOMAIN, why=why)
            for name, why in SERVICES.items()
        ]

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        absent = [name + DOMAIN for name, enabled in read_services(api).services.items() if not enabled]
        if not absent:
            return
        what, body = "enable APIs", {"serviceIds": absent}
        path = f"v1/projects/{api.project}/services:batchEnable"
        operation = api.call(what, "serviceusage", "POST", path, body=body, repeat=True)
        wait_for_operation(api, what, "serviceusage", operation, timeout_s=OPERATION_S, pause=pause)

    def names_to_remove(self, api: Api) -> List[str]:
        return []

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        """Leave them enabled."""
