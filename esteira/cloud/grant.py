"""A role that somebody has on something, and why."""

from dataclasses import dataclass
from typing import Tuple

from typing_extensions import Literal

from esteira.cloud.mirror import Mirror, find_mirror

Scope = Literal["project", "bucket", "repository", "dataset", "service account", "secret"]


@dataclass(frozen=True)
class Grant:
    """`member` has `role` on `scope` `target`. `ours` is whether Esteira made the member, so that it may give roles."""

    scope: Scope
    target: str
    member: str
    role: str
    why: str
    ours: bool = True

    @property
    def key(self) -> Tuple[str, str]:
        return self.member, self.role

    @property
    def name(self) -> str:
        """Return it as people read it: who has which role on what."""
        return f"{short(self.member)}: {self.role} on {self.scope} {short(self.target)}"


def account_member(email: str) -> str:
    return f"serviceAccount:{email}"


def short(name: str) -> str:
    """Return a member, or an account's address, without what is the same for all."""
    if name.startswith("principalSet:"):
        return "github:" + name.partition("/attribute.repository/")[2]
    if name.startswith("deleted:"):
        return f"removed {short(name[len('deleted:') :])}"
    return name.partition(":")[2].partition("@")[0] or name.partition("@")[0]


def give_command(grant: Grant, project: str, location: str) -> str:
    """Return what a person types to give a role."""
    region = location.rpartition("/")[2]
    mirror = find_mirror(grant.target) or Mirror(region, project, grant.target)
    to = f"--member={grant.member} --role={grant.role}"
    if grant.scope == "dataset":
        role = "roles/bigquery.dataEditor" if grant.role == "WRITER" else grant.role
        statement = f'GRANT `{role}` ON SCHEMA `{project}.{grant.target}` TO "{grant.member}"'
        return f"bq query --nouse_legacy_sql --location={region} '{statement}'"
    return {
        "project": f"gcloud projects add-iam-policy-binding {project} {to}",
        "bucket": f"gcloud storage buckets add-iam-policy-binding gs://{grant.target} {to}",
        "repository": (
            f"gcloud artifacts repositories add-iam-policy-binding {mirror.repository} "
            f"--project={mirror.project} --location={mirror.location} {to}"
        ),
        "service account": f"gcloud iam service-accounts add-iam-policy-binding {grant.target} {to}",
        "secret": f"gcloud secrets add-iam-policy-binding {grant.target} --project={project} {to}",
    }[grant.scope]
