"""The settings of an environment in Google Cloud, by Google's own rules for names."""

import re
from typing import Any, Dict

from pydantic import Field, validator

from esteira.settings.section import Section, matched, matched_mirrors

# https://cloud.google.com/resource-manager/docs/creating-managing-projects
PROJECT_PATTERN = re.compile(r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
# https://cloud.google.com/compute/docs/regions-zones
REGION_PATTERN = re.compile(r"^[a-z]+-[a-z]+[0-9]+$")
# https://cloud.google.com/storage/docs/buckets#naming
BUCKET_PATTERN = re.compile(r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")
# https://cloud.google.com/artifact-registry/docs/repositories/create-repos
REPOSITORY_PATTERN = re.compile(r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")
# https://cloud.google.com/iam/docs/service-accounts-create
ACCOUNT_PATTERN = re.compile(r"^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com\Z")
# https://cloud.google.com/vertex-ai/docs/general/vpc-peering
NETWORK_PATTERN = re.compile(r"^projects/[a-z0-9-]+/global/networks/[a-z0-9-]+\Z")
# https://cloud.google.com/kms/docs/resource-hierarchy
KMS_PATTERN = re.compile(r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+\Z")
# https://cloud.google.com/bigquery/docs/datasets#dataset-naming
DATASET_PATTERN = re.compile(r"^[A-Za-z0-9_]{1,1024}\Z")
GITHUB_PATTERN = re.compile(r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+\Z")
# https://docs.github.com/en/rest/users/users#get-a-user
GITHUB_ID_PATTERN = re.compile(r"^[0-9]+\Z")
# Quotes and what else https://git-scm.com/docs/git-check-ref-format lets in are left out.
GITHUB_REF_PATTERN = re.compile(r"^refs/(?:heads|tags)/[A-Za-z0-9._/-]+\Z")


class Environment(Section):
    """[environments.NAME]: a Google Cloud project and region that releases go to with ENV=NAME."""

    project: str = Field(..., description="The project's id", example="my-project-1")
    region: str = Field(..., description="Where everything lies and runs", example="europe-west1")
    bucket: str = Field(..., description="The bucket of releases, without gs://", example="my-project-1-esteira")
    repository: str = Field(..., description="The Artifact Registry repository of images", example="esteira")
    mirrors: str = Field(
        "",
        description="What stands for a registry that bases are pulled from: host=mirror, more with commas",
        example="docker.io=europe-west1-docker.pkg.dev/my-project-1/docker-hub",
    )
    dataset: str = Field("esteira", description="The BigQuery dataset of the request log")
    github: str = Field(
        "", description="The repository whose workflows may deploy; empty is none", example="owner/repository"
    )
    github_owner_id: str = Field(
        "",
        description="The number of its owner, which nobody else ever gets: gh api users/OWNER --jq .id; empty is any",
        example="1342004",
    )
    github_ref: str = Field(
        "", description="The one branch or tag whose workflows may deploy; empty is any", example="refs/heads/main"
    )
    build_account: str = Field(
        "",
        description="The service account that builds run as; empty is the one that `make cloud-apply` makes",
        example="builds@my-project-1.iam.gserviceaccount.com",
    )
    run_account: str = Field(
        "",
        description="The service account that runs and served models run as; empty is the one that `make cloud-apply` "
        "makes",
        example="runs@my-project-1.iam.gserviceaccount.com",
    )
    network: str = Field(
        "",
        description="The network that runs are connected with; empty is none",
        example="projects/123456789/global/networks/default",
    )
    kms_key: str = Field(
        "",
        description="The key that runs, models and the endpoint are encrypted with; empty is Google's own",
        example="projects/my-project-1/locations/europe-west1/keyRings/esteira/cryptoKeys/releases",
    )

    @validator("project")
    def check_project(cls, value: str) -> str:
        return matched(value, PROJECT_PATTERN, "a Google Cloud project id such as my-project-1")

    @validator("region")
    def check_region(cls, value: str) -> str:
        return matched(value, REGION_PATTERN, "a Google Cloud region such as europe-west1")

    @validator("bucket")
    def check_bucket(cls, value: str) -> str:
        return matched(value, BUCKET_PATTERN, "a bucket's name without gs://")

    @validator("repository")
    def check_repository(cls, value: str) -> str:
        return matched(value, REPOSITORY_PATTERN, "the name of an Artifact Registry repository")

    @validator("mirrors")
    def check_mirrors(cls, value: str) -> str:
        return matched_mirrors(value)

    @validator("dataset")
    def check_dataset(cls, value: str) -> str:
        return matched(value, DATASET_PATTERN, "letters, digits and underscores")

    @validator("github")
    def check_github(cls, value: str) -> str:
        return matched(value, GITHUB_PATTERN, "owner/repository") if value else value

    @validator("github_owner_id")
    def check_github_owner_id(cls, value: str, values: Dict[str, Any]) -> str:
        return of_github(value, GITHUB_ID_PATTERN, "a number, as: gh api users/OWNER --jq .id", values)

    @validator("github_ref")
    def check_github_ref(cls, value: str, values: Dict[str, Any]) -> str:
        return of_github(value, GITHUB_REF_PATTERN, "a branch or a tag such as refs/heads/main", values)

    @validator("build_account", "run_account")
    def check_account(cls, value: str) -> str:
        return matched(value, ACCOUNT_PATTERN, "the address of a service account") if value else value

    @validator("network")
    def check_network(cls, value: str) -> str:
        return matched(value, NETWORK_PATTERN, "projects/NUMBER/global/networks/NAME") if value else value

    @validator("kms_key")
    def check_kms_key(cls, value: str) -> str:
        expected = "projects/P/locations/L/keyRings/R/cryptoKeys/K"
        return matched(value, KMS_PATTERN, expected) if value else value

    @property
    def builder_email(self) -> str:
        """The service account that builds run as."""
        return self.build_account or f"esteira-build@{self.project}.iam.gserviceaccount.com"

    @property
    def runner_email(self) -> str:
        """The service account that jobs and served models run as."""
        return self.run_account or f"esteira-run@{self.project}.iam.gserviceaccount.com"

    @property
    def location(self) -> str:
        """The resource name that the names of the region's resources begin with."""
        return f"projects/{self.project}/locations/{self.region}"


def of_github(value: str, pattern: "re.Pattern[str]", expected: str, values: Dict[str, Any]) -> str:
    """Return what is said of GitHub's tokens; ValueError if it does not match, or no repository is named."""
    if value and not values.get("github", "a wrong one"):
        raise ValueError(f'is "{value}", but there is no github; expected github = "owner/repository" beside it')
    return matched(value, pattern, expected) if value else value
