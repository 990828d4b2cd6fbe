"""The one place that says who may do what, and why: on the smallest thing that a role can be given on.

https://cloud.google.com/iam/docs/roles-permissions has what each role allows.
"""

from dataclasses import replace
from typing import Iterator, List

from esteira.cloud.account import agent_email
from esteira.cloud.federation import principals
from esteira.cloud.grant import Grant, Scope, account_member
from esteira.cloud.mirror import is_of_project, mirrors
from esteira.settings import Environment, Settings

# What `access` of a dataset calls roles/bigquery.dataEditor.
# https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset
DATASET_EDITOR = "WRITER"


def grants(settings: Settings, place: Environment, number: str) -> List[Grant]:
    """Return every role of an environment; `number` is its project's."""
    found = [*builder(settings, place), *runner(settings, place), *agent(place, number)]
    return found + (list(github(place, number)) if place.github else [])


def builder(settings: Settings, place: Environment) -> Iterator[Grant]:
    """Yield what the account of builds may do."""
    email = place.builder_email

    def give(scope: Scope, target: str, role: str, why: str) -> Grant:
        return Grant(scope, target, account_member(email), f"roles/{role}", why, ours=not place.build_account)

    yield give("project", place.project, "aiplatform.user", "start runs, register models, deploy them to the endpoint")
    yield give("project", place.project, "logging.logWriter", "write the build's log")
    yield give("project", place.project, "logging.viewer", "show why a task of a run failed")
    yield give("bucket", place.bucket, "storage.objectUser", "read the source, write releases and their parts")
    yield give("bucket", place.bucket, "storage.legacyBucketReader", "ask where the bucket is before a deploy")
    yield give("repository", place.repository, "artifactregistry.writer", "pull the builder image, push the run's")
    for name in mirrors(place):
        is_here = is_of_project(name, place.project)
        grant = give("repository", name, "artifactregistry.reader", "pull the bases of images from the mirror")
        yield replace(grant, ours=grant.ours and is_here)
    yield give("project", place.project, "bigquery.jobUser", "make the views, ask whether requests are logged")
    grant = give("dataset", place.dataset, "", "say what was deployed, make the views, read the request log")
    yield replace(grant, role=DATASET_EDITOR)
    yield give("service account", place.runner_email, "iam.serviceAccountUser", "start runs that act as it")
    for secret in secrets(settings):
        yield give("secret", secret, "secretmanager.secretAccessor", "read what build.secrets names")
    if place.github:
        yield give("project", place.project, "cloudbuild.builds.editor", "submit builds from GitHub's workflows")
        yield give("project", place.project, "serviceusage.serviceUsageConsumer", "ask which APIs are enabled")
        yield give("service account", email, "iam.serviceAccountUser", "submit builds that act as itself")


def runner(settings: Settings, place: Environment) -> Iterator[Grant]:
    """Yield what the account of runs and served models may do."""
    email = place.runner_email

    def give(scope: Scope, target: str, role: str, why: str) -> Grant:
        return Grant(scope, target, account_member(email), role, why, ours=not place.run_account)

    yield give("project", place.project, "roles/aiplatform.user", "run the pipeline's tasks, write their metadata")
    yield give("project", place.project, "roles/logging.logWriter", "write the tasks' logs, and the served model's")
    yield give("bucket", place.bucket, "roles/storage.objectUser", "read data and modules, write artifacts and models")
    yield give("bucket", place.bucket, "roles/storage.legacyBucketReader", "TensorFlow asks for the bucket itself")
    yield give("repository", place.repository, "roles/artifactregistry.reader", "pull the image that it runs in")
    # Training code has this account, too, and could read and delete all that was logged.
    if settings.log.percent and settings.log.text != "keep":
        yield give("dataset", place.dataset, DATASET_EDITOR, "write the request log, as log.text is not keep")
    if settings.trainer.place == "custom_job" or settings.endpoint.by == "pusher":
        why = "start training jobs, or deploy models, that act as itself"
        yield give("service account", email, "roles/iam.serviceAccountUser", why)


def agent(place: Environment, number: str) -> Iterator[Grant]:
    """Yield what Vertex AI itself may do.

    That of custom code, gcp-sa-aiplatform-cc, is there from the first training on, with a role of Google's
    that allows it to pull images of its project; it can be given nothing before.
    """
    member = account_member(agent_email(number))
    reader, writes = "roles/artifactregistry.reader", "write what the endpoint was asked and answered"
    yield Grant("repository", place.repository, member, reader, "pull the images of tasks and served models")
    yield Grant("dataset", place.dataset, member, DATASET_EDITOR, writes)


def github(place: Environment, number: str) -> Iterator[Grant]:
    """Yield what GitHub's workflows may do: become the account of builds, and nothing else."""
    member, role = principals(number, place.github), "roles/iam.workloadIdentityUser"
    why = "become the build account, without a key"
    yield Grant("service account", place.builder_email, member, role, why, ours=not place.build_account)


def secrets(settings: Settings) -> List[str]:
    """Return the names of the secrets in build.secrets."""
    pairs = [pair.partition("=")[2] for pair in settings.build.secrets.split(",") if pair]
    return sorted({pair.partition("/")[0] for pair in pairs})
