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
