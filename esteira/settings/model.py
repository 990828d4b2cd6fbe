"""The settings as frozen, typed values: one class a section of esteira.toml."""

import os
import re
from pathlib import Path
from typing import Any, Dict

from pydantic import BaseModel, Field, validator
from typing_extensions import Literal

from esteira.errors import StateError
from esteira.settings.cron import checked_cron

LOCAL = "local"

# The rules of Google Cloud for the names that an environment is made of.
# https://cloud.google.com/resource-manager/docs/creating-managing-projects
PROJECT_PATTERN = re.compile(r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
# https://cloud.google.com/compute/docs/regions-zones
REGION_PATTERN = re.compile(r"^[a-z]+-[a-z]+[0-9]+$")
# https://cloud.google.com/storage/docs/buckets#naming
BUCKET_PATTERN = re.compile(r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")
# https://cloud.google.com/artifact-registry/docs/repositories/create-repos
REPOSITORY_PATTERN = re.compile(r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")
# A pipeline's name becomes the id of a Vertex AI metadata context.
# https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs/create
PIPELINE_PATTERN = re.compile(r"^[a-z][a-z0-9-]{0,62}$")
# The beginning of an image's name; https://github.com/distribution/reference has the grammar.
REGISTRY_PATTERN = re.compile(
    r"^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]+)?"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*/?\Z"
)
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
# An image by its digest, so that no one can change what is served.
IMAGE_PATTERN = re.compile(r"^[a-z0-9][a-z0-9.:-]*/[\w./-]+@sha256:[0-9a-f]{64}\Z")
# A variable of a build's steps, and the secret that it is read from, at a version.
# https://cloud.google.com/build/docs/securing-builds/use-secrets
SECRETS_PATTERN = re.compile(r"^[A-Z_][A-Z0-9_]*=[\w-]+/[0-9]+(,[A-Z_][A-Z0-9_]*=[\w-]+/[0-9]+)*\Z")
# Variables that a step has of its own, or that its programs are found and begun by.
RESERVED_PATTERN = re.compile(r"^(?:(?:ESTEIRA_|PYTHON|LD_)[A-Z0-9_]*|PATH|HOME)\Z")
# Registries and their mirrors, such as Artifact Registry's remote repositories.
MIRRORS_PATTERN = re.compile(r"^(?!.*//)[\w.:-]+=[\w.:/-]+(,[\w.:-]+=[\w.:/-]+)*\Z")


class Section(BaseModel):
    """A section: immutable, and closed to keys that it does not know."""

    class Config:
        allow_mutation = False
        extra = "forbid"


class PipelineSettings(Section):
    """[pipeline]: what the pipeline is called, in every environment."""

    name: str = "sentiment"

    @validator("name")
    def check_name(cls, value: str) -> str:
        return matched(
            value, PIPELINE_PATTERN, "lower-case letters, digits and dashes, a letter first, at most 63"
        )


class DataSettings(Section):
    """[data]: a CSV of one's own, its columns, and how its rows are split.

    `file` is relative to the repository; DATA= sets it for one command. Empty is the default data.
    """

    file: str = ""
    text_column: str = Field("text", min_length=1)
    label_column: str = Field("label", min_length=1)
    source_column: str = ""
    eval_percent: int = Field(25, ge=1, le=90)


class TrainingSettings(Section):
    """[training]: how long and with which encoder the model is trained."""

    epochs: int = Field(8, ge=1)
    seed: int = Field(1, ge=0)
    encoder: Literal["attention", "hub"] = "attention"
    hub_module: str = ""

    @validator("hub_module", always=True)
    def check_hub_module(cls, value: str, values: Dict[str, Any]) -> str:
        if values.get("encoder") == "hub" and not value:
            raise ValueError(
                'is empty, but training.encoder is "hub"; expected the path or URL of a SavedModel'
            )
        # A build and its tasks run in copies of the repository, each with a working folder of its own.
        if value and "://" not in value and not os.path.isabs(value):
            raise ValueError(f'is "{value}"; expected an absolute path or a URL')
        return value


class TuningSettings(Section):
    """[tuning]: the search that `make tune` makes."""

    trials: int = Field(8, ge=1)
    epochs: int = Field(4, ge=1)


class GateSettings(Section):
    """[gate]: what a model must reach before it is served."""

    accuracy_lift: float = Field(0.02, ge=-1, le=1)
    macro_f1: float = Field(0.40, ge=0, le=1)
    macro_f1_change: float = Field(-0.01, ge=-1, le=1)


class ServingSettings(Section):
    """[serving]: where the prediction server listens, and how much it takes at once."""

    host: str = "127.0.0.1"
    port: int = Field(8501, ge=0, le=65535)
    max_batch: int = Field(64, ge=1)


class RunSettings(Section):
    """[run]: how a compiled job is executed on this machine."""

    isolation: Literal["fork", "process", "container"] = "fork"
    workers: int = Field(2, ge=1)
    cache: bool = True


class BuildSettings(Section):
    """[build]: what a generated Cloud Build file asks of Cloud Build."""

    machine_type: Literal["UNSPECIFIED", "E2_MEDIUM", "E2_HIGHCPU_8", "E2_HIGHCPU_32"] = "E2_HIGHCPU_8"
    timeout_s: int = Field(21600, ge=60, le=86400)
    secrets: str = ""

    @validator("secrets")
    def check_secrets(cls, value: str) -> str:
        expected = "VARIABLE=secret/version, more with commas, such as INDEX_TOKEN=index-token/3"
        pairs = matched(value, SECRETS_PATTERN, expected).split(",") if value else []
        names = [pair.partition("=")[0] for pair in pairs]
        for name in names:
            if RESERVED_PATTERN.match(name):
                raise ValueError(f"{name} is a variable that steps have already; expected another name")
            if names.count(name) > 1:
                raise ValueError(f"{name} is given twice; expected a secret for each variable")
        return value


class CloudSettings(Section):
    """[cloud]: how a job runs in Google Cloud: on Vertex AI, or in the legacy form, which can only be compiled.

    `schedule` is a cron line, with TZ=Area/City before it if it is not UTC; empty is none.
    """

    target: Literal["vertex", "ai_platform"] = "vertex"
    failure_policy: Literal["fast", "slow"] = "fast"
    cache: bool = True
    schedule: str = ""
    poll_s: int = Field(20, ge=1, le=600)

    @validator("schedule")
    def check_schedule(cls, value: str) -> str:
        return checked_cron(value) if value else value


class TrainerSettings(Section):
    """[trainer]: where a job in Google Cloud trains: in the task's own container, or in a custom training job.

    `cpus` and `memory_gb` are the task's; `machine_type` and `workers` the custom job's; accelerators either's.
    """

    place: Literal["task", "custom_job"] = "task"
    cpus: int = Field(4, ge=1)
    memory_gb: int = Field(16, ge=1)
    machine_type: str = "n1-standard-8"
    workers: int = Field(1, ge=1)
    accelerator_type: str = ""
    accelerator_count: int = Field(1, ge=1)


class EndpointSettings(Section):
    """[endpoint]: the Vertex AI endpoint that serves the model.

    `by` is who deploys: a release, beside the old model and after a smoke test, or TFX's Pusher in the run.
    `image` by digest; empty is the release's own. `keep` models stay deployed for a rollback, at no traffic.
    """

    by: Literal["release", "pusher"] = "release"
    image: str = ""
    machine_type: str = "n1-standard-2"
    min_replicas: int = Field(1, ge=1)
    max_replicas: int = Field(2, ge=1)
    cpu_percent: int = Field(60, ge=1, le=100)
    accelerator_type: str = ""
    accelerator_count: int = Field(1, ge=1)
    keep: int = Field(1, ge=0)
    log_percent: int = Field(100, ge=0, le=100)

    @validator("image")
    def check_image(cls, value: str) -> str:
        return matched(value, IMAGE_PATTERN, "host/name@sha256:<64 hex>") if value else value

    @validator("max_replicas")
    def check_replicas(cls, value: int, values: Dict[str, Any]) -> int:
        if value < values.get("min_replicas", 1):
            raise ValueError(f"is {value}; expected at least endpoint.min_replicas, {values['min_replicas']}")
        return value


class ImagesSettings(Section):
    """[images]: where the environment `local` pushes images to, and whence it gets the bases.

    An empty `registry` keeps them in the state folder. `mirrors` is "host=mirror", more with commas.
    """

    registry: str = ""
    mirrors: str = ""

    @validator("registry")
    def check_registry(cls, value: str) -> str:
        expected = "host[:port]/path without a scheme, such as 127.0.0.1:5000/esteira"
        return matched(value, REGISTRY_PATTERN, expected) if value else value

    @validator("mirrors")
    def check_mirrors(cls, value: str) -> str:
        return matched_mirrors(value)


class DeploySettings(Section):
    """[deploy]: how deploys into one environment keep out of each other's way.

    `wait_s` is how long a deploy waits for another one; -1 is 600 s on `local` and, in Google Cloud, as long as a
    build may take. `start_s` is how long a build there may wait for a machine before another deploy takes over.
    """

    lease_s: int = Field(60, ge=3, le=3600)
    wait_s: int = Field(-1, ge=-1)
    start_s: int = Field(1200, ge=60)


class Environment(Section):
    """[environments.NAME]: a Google Cloud project and region that releases go to.

    The service accounts of builds and of the pipeline's runs are those that `make cloud-apply` makes, unless
    others are named. `github` is the owner/repository whose workflows may deploy, `github_owner_id` its owner's
    number, which nobody else ever gets, and `github_ref` the one branch or tag whose workflows may; empty is any.
    """

    project: str
    region: str
    bucket: str
    repository: str
    mirrors: str = ""
    dataset: str = "esteira"
    github: str = ""
    github_owner_id: str = ""
    github_ref: str = ""
    build_account: str = ""
    run_account: str = ""
    network: str = ""
    kms_key: str = ""

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


class Settings(Section):
    """All settings, with the folders that they hold for.

    `root` is the repository; `state` the folder of the environment `local`;
    `selected` the name of the environment that was chosen.
    """

    root: Path
    state: Path
    selected: str
    pipeline: PipelineSettings
    data: DataSettings
    training: TrainingSettings
    tuning: TuningSettings
    gate: GateSettings
    serving: ServingSettings
    run: RunSettings
    build: BuildSettings
    images: ImagesSettings
    deploy: DeploySettings
    cloud: CloudSettings
    trainer: TrainerSettings
    endpoint: EndpointSettings
    environments: Dict[str, Environment]

    @property
    def is_local(self) -> bool:
        return self.selected == LOCAL

    @property
    def environment(self) -> Environment:
        """The chosen Google Cloud environment; only where `is_local` is false."""
        return self.environments[self.selected]

    @property
    def bucket(self) -> str:
        """The place that the pipeline's files live under, a folder or a gs:// URI."""
        if self.is_local:
            return f"{self.state}/bucket/{self.pipeline.name}"
        return f"gs://{self.environment.bucket}/{self.pipeline.name}"

    @property
    def folder(self) -> Path:
        """The bucket as a folder. Raises StateError where the bucket is in the cloud."""
        self.require_local()
        return Path(self.bucket)

    @property
    def registry(self) -> str:
        """Where images are pushed to, host and path; "" where they are only kept."""
        if self.is_local:
            return self.images.registry.strip("/")
        place = self.environment
        return f"{place.region}-docker.pkg.dev/{place.project}/{place.repository}"

    @property
    def mirrors(self) -> Dict[str, str]:
        """The mirrors that bases are pulled from, by the registry that they stand for."""
        text = self.images.mirrors if self.is_local else self.environment.mirrors
        return {host: mirror for host, mirror in (pair.split("=") for pair in text.split(",") if pair)}

    def require_local(self) -> None:
        """Raise StateError where the environment is in the cloud."""
        if not self.is_local:
            raise StateError(
                f"ENV={self.selected}: this is done on the environment local only. Run the command without ENV="
            )


def matched_mirrors(value: str) -> str:
    """Return mirrors as they are given; ValueError unless each is host=mirror."""
    if value and not MIRRORS_PATTERN.match(value):
        example = "docker.io=europe-west1-docker.pkg.dev/my-project/docker-hub"
        raise ValueError(f'is "{value}"; expected registries and what stands for them, such as {example}')
    return value


def of_github(value: str, pattern: "re.Pattern[str]", expected: str, values: Dict[str, Any]) -> str:
    """Return what is said of GitHub's tokens; ValueError if it does not match, or no repository is named."""
    if value and not values.get("github", "a wrong one"):
        raise ValueError(f'is "{value}", but there is no github; expected github = "owner/repository" beside it')
    return matched(value, pattern, expected) if value else value


def matched(value: str, pattern: "re.Pattern[str]", expected: str) -> str:
    """Return the value if it matches, else raise ValueError with what was expected."""
    if not pattern.match(value):
        raise ValueError(f'is "{value}"; expected {expected}')
    return value
