"""The settings of how it is made: by which builds, images and jobs."""

import re

from pydantic import Field, validator
from typing_extensions import Literal

from esteira.settings.cron import checked_cron
from esteira.settings.section import Section, matched, matched_mirrors

# The beginning of an image's name; https://github.com/distribution/reference has the grammar.
REGISTRY_PATTERN = re.compile(
    r"^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]+)?"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*/?\Z"
)
# A variable of a build's steps, and the secret that it is read from, at a version.
# https://cloud.google.com/build/docs/securing-builds/use-secrets
SECRETS_PATTERN = re.compile(r"^[A-Z_][A-Z0-9_]*=[\w-]+/[0-9]+(,[A-Z_][A-Z0-9_]*=[\w-]+/[0-9]+)*\Z")
# Variables that a step has of its own, or that its programs are found and begun by.
RESERVED_PATTERN = re.compile(r"^(?:(?:ESTEIRA_|PYTHON|LD_)[A-Z0-9_]*|PATH|HOME)\Z")


class RunSettings(Section):
    """[run]: how a compiled job is executed on this machine."""

    isolation: Literal["fork", "process", "container"] = Field(
        "fork",
        description="What a task runs in: a fork of a process that has imported TFX once, a process of its own, or a "
        "container of the built image, with Docker or Podman",
    )
    workers: int = Field(2, ge=1, description="How many tasks run at once")
    cache: bool = Field(True, description="Whether what a task made of the same inputs before is used again")


class BuildSettings(Section):
    """[build]: what a generated Cloud Build file asks of Cloud Build."""

    machine_type: Literal["UNSPECIFIED", "E2_MEDIUM", "E2_HIGHCPU_8", "E2_HIGHCPU_32"] = Field(
        "E2_HIGHCPU_8", description="The machine that a build runs on; UNSPECIFIED is what Cloud Build chooses"
    )
    timeout_s: int = Field(
        21600, ge=60, le=86400, description="How long a build may take, the run included, in seconds"
    )
    secrets: str = Field(
        "",
        description="What steps get from Secret Manager: VARIABLE=secret/version, more with commas",
        example="INDEX_TOKEN=index-token/3",
    )

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


class ImagesSettings(Section):
    """[images]: where the environment `local` pushes images to, and whence it gets the bases."""

    registry: str = Field(
        "",
        description="Where images are pushed to, without a scheme; empty keeps them in the state folder",
        example="127.0.0.1:5000/esteira",
    )
    mirrors: str = Field(
        "",
        description="What stands for a registry that bases are pulled from: host=mirror, more with commas",
        example="docker.io=europe-west1-docker.pkg.dev/my-project/docker-hub",
    )

    @validator("registry")
    def check_registry(cls, value: str) -> str:
        expected = "host[:port]/path without a scheme, such as 127.0.0.1:5000/esteira"
        return matched(value, REGISTRY_PATTERN, expected) if value else value

    @validator("mirrors")
    def check_mirrors(cls, value: str) -> str:
        return matched_mirrors(value)


class DeploySettings(Section):
    """[deploy]: how deploys into one environment keep out of each other's way."""

    lease_s: int = Field(
        60, ge=3, le=3600, description="After how many seconds a lease that nobody renews is taken over"
    )
    wait_s: int = Field(
        -1,
        ge=-1,
        description="How many seconds a deploy waits for another one; -1 is 600 on `local` and, in Google Cloud, as "
        "many as a build may wait and take",
    )
    start_s: int = Field(
        1200,
        ge=60,
        description="How many seconds a build in Google Cloud may wait for a machine before another deploy takes over",
    )


class CloudSettings(Section):
    """[cloud]: how a job runs in Google Cloud."""

    target: Literal["vertex", "ai_platform"] = Field(
        "vertex", description="Vertex AI Pipelines, or the legacy form of AI Platform, which can only be looked at"
    )
    failure_policy: Literal["fast", "slow"] = Field(
        "fast", description="Whether no further task begins once one has failed, or all run that can"
    )
    cache: bool = Field(True, description="Whether what a task made of the same inputs before is used again")
    schedule: str = Field(
        "",
        description="When Vertex AI runs the current release's job by itself: a cron line, in UTC unless TZ=Area/City "
        "stands before it; empty is never",
        example="TZ=Europe/Berlin 0 6 * * 1",
    )
    poll_s: int = Field(20, ge=1, le=600, description="How many seconds pass at most between two looks at a run")

    @validator("schedule")
    def check_schedule(cls, value: str) -> str:
        return checked_cron(value) if value else value


class TrainerSettings(Section):
    """[trainer]: where a job in Google Cloud trains, and on which machines."""

    place: Literal["task", "custom_job"] = Field(
        "task", description="In the task's own container, or in a custom training job that the task waits for"
    )
    cpus: int = Field(4, ge=1, description="The task's CPUs; of no meaning for a custom job")
    memory_gb: int = Field(16, ge=1, description="The task's memory in GB; of no meaning for a custom job")
    machine_type: str = Field("n1-standard-8", description="The machines of a custom job")
    workers: int = Field(
        1, ge=1, description="How many machines a custom job trains on; above 1 the code in modules/ must expect it"
    )
    accelerator_type: str = Field(
        "", description="The accelerator of the task or of each machine; empty is none", example="NVIDIA_TESLA_T4"
    )
    accelerator_count: int = Field(1, ge=1, description="How many of them, where there is an accelerator")
