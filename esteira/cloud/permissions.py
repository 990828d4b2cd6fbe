"""What whoever deploys must be allowed to, and the role that allows it.

https://cloud.google.com/iam/docs/roles-permissions; asked by testIamPermissions, which anybody may call:
https://cloud.google.com/iam/docs/testing-permissions
"""

from typing import Dict, List, NamedTuple, Tuple

from esteira.cloud.doors import door
from esteira.cloud.grant import Grant, Scope, give_command
from esteira.cloud.mirror import mirrors
from esteira.google.api import Api
from esteira.settings import Environment

MEMBER = "user:NAME@EXAMPLE.COM"


class Need(NamedTuple):
    """Permissions on one thing, each with what it is for, and the roles that hold them."""

    scope: Scope
    target: str
    permissions: Dict[str, str]
    roles: Dict[str, str]


class Lack(NamedTuple):
    """A permission that is missing, and what an owner types to give it."""

    permission: str
    scope: Scope
    target: str
    purpose: str
    remedy: str


def told(lacks: List[Lack]) -> List[str]:
    """Return what is missing in sentences, one for each role that would mend it."""
    sentences = []
    for remedy in dict.fromkeys(lack.remedy for lack in lacks):
        same = [lack for lack in lacks if lack.remedy == remedy]
        named = ", ".join(f"{lack.permission} (to {lack.purpose})" for lack in same)
        where = f"{same[0].scope} {same[0].target}"
        sentences.append(f"you lack {named} on {where}. Have an owner run: {remedy}")
    return sentences


def needs(place: Environment) -> List[Need]:
    """Return what a deploy needs of the person or workflow that starts it."""
    submit, images = "roles/cloudbuild.builds.editor", "roles/artifactregistry.writer"
    user, objects = "roles/aiplatform.user", "roles/storage.objectUser"
    project = {
        "cloudbuild.builds.create": ("submit the build", submit),
        "cloudbuild.builds.get": ("wait for the build", submit),
        "aiplatform.pipelineJobs.get": ("show the run", user),
        "logging.logEntries.list": ("show the build's log", "roles/logging.viewer"),
    }
    bucket = {
        "storage.buckets.get": ("ask where it is", "roles/storage.legacyBucketReader"),
        "storage.objects.create": ("write releases", objects),
        "storage.objects.delete": ("write the lease and the pointer", objects),
        "storage.objects.get": ("read releases", objects),
        "storage.objects.list": ("list releases", objects),
    }
    repository = {
        "artifactregistry.repositories.downloadArtifacts": ("look whether the builder image is there", images),
        "artifactregistry.repositories.uploadArtifacts": ("push the builder image", images),
    }
    account = {"iam.serviceAccounts.actAs": ("start builds that act as it", "roles/iam.serviceAccountUser")}
    pull = "artifactregistry.repositories.downloadArtifacts"
    mirror = {pull: ("pull the base of the builder image", "roles/artifactregistry.reader")}
    return [
        need("project", place.project, project),
        need("bucket", place.bucket, bucket),
        need("repository", place.repository, repository),
        *(need("repository", name, mirror) for name in mirrors(place)),
        need("service account", place.builder_email, account),
    ]


def rollback_needs(place: Environment) -> List[Need]:
    """Return what a rollback needs beyond that: it deploys models from where it is typed, not in a build.

    The request log is read and written from there, too: that BigQuery's datasets let one do so cannot be asked.
    """
    account = {"iam.serviceAccounts.actAs": ("bring back models, which act as it", "roles/iam.serviceAccountUser")}
    project = {"bigquery.jobs.create": ("ask the request log", "roles/bigquery.jobUser")}
    return [need("service account", place.runner_email, account), need("project", place.project, project)]


def need(scope: Scope, target: str, table: Dict[str, Tuple[str, str]]) -> Need:
    purposes = {permission: purpose for permission, (purpose, _) in table.items()}
    return Need(scope, target, purposes, {permission: role for permission, (_, role) in table.items()})


def lacking(api: Api, place: Environment, need: Need) -> List[Lack]:
    """Return what whoever asks may not. Raises NotFoundError if the thing is not there."""
    reached = door(need.scope, need.target, place)
    wanted, what = sorted(need.permissions), f"ask what you may do with {need.scope} {need.target}"
    path = reached.write[1].partition(":setIamPolicy")[0]
    if need.scope == "bucket":
        answer = api.call(what, "storage", "GET", f"{path}/testPermissions", query={"permissions": wanted})
    else:
        body = {"permissions": wanted}
        answer = api.call(what, reached.service, "POST", f"{path}:testIamPermissions", body=body, repeat=True)
    held = answer.get("permissions", [])
    return [lack(need, permission, place) for permission in wanted if permission not in held]


def lack(need: Need, permission: str, place: Environment) -> Lack:
    grant = Grant(need.scope, need.target, MEMBER, need.roles[permission], "")
    command = give_command(grant, place.project, place.location)
    return Lack(permission, need.scope, need.target, need.permissions[permission], command)
