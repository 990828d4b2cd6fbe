"""The manifest of a release: what was deployed, why, by whom, and what came of it.

A release lies at releases/<id>/release.json in its environment's store. Its id follows from what it
is made of; only `outcome` is filled in later.
"""

import json
from typing import Any, Dict, Optional

from pydantic import BaseModel, Field, ValidationError
from typing_extensions import Literal

from esteira.errors import StateError
from esteira.release.digest import digest_value

ID_DIGITS = 12
MANIFEST = "release.json"
JOB = "job.json"
PARTS = ("image", "job", "modules", "data", "hyperparameters", "settings")


class Frozen(BaseModel):
    """A value that is kept as JSON: immutable, and closed to keys that it does not know."""

    class Config:
        allow_mutation = False
        extra = "forbid"


class Part(Frozen):
    """One content-addressed piece of a release."""

    digest: str = Field(description="Over the files and values that the part is made of: the name of inputs/<hex>.json")
    content: str = Field("", description="Over the files laid down at `uri`; empty where nothing is laid down")
    uri: str = Field("", description="Where the part lies, named by `content`")


class Outcome(Frozen):
    """What a release's last run came to."""

    run: str
    at: str = Field(description="When it was known, UTC, as 2026-11-22T21:30:41Z")
    blessed: bool
    error: str = Field("", description="Why the run failed or the model is not blessed; empty where it is")
    evaluation: Dict[str, Any] = Field(default_factory=dict, description="report.json of the run's EvaluationReport")
    model: str = Field("", description="Where the blessed model lies")
    logs: str = ""


class Release(Frozen):
    """A deploy: its parts by digest, where they came from, and what came of it."""

    version: Literal[1] = 1
    id: str
    pipeline: str
    commit: str = Field(description="The commit that the source was taken from; empty before the first one")
    dirty: bool = Field(description="Whether the source differed from the commit")
    kind: Literal["full", "partial", "rollback"]
    parent: Optional[str] = Field(None, description="The release that was current when this one was made")
    restores: Optional[str] = Field(None, description="The release that a rollback brings back")
    parts: Dict[str, Part]
    reason: str = Field("", description="Why it was deployed, in a sentence")
    by: str = Field("", description="Who deployed it, as user@host")
    at: str = Field("", description="When, UTC, as 2026-11-22T21:30:41Z")
    outcome: Optional[Outcome] = None

    @property
    def origin(self) -> str:
        """The release that ran the job: the one that a rollback brought back, else this one."""
        return self.restores or self.id


def release_id(release: Release) -> str:
    """Return the id that follows from what a release is made of, wherever and whenever it is made."""
    content = release.dict(include={"pipeline", "commit", "dirty", "kind", "parent", "restores"})
    content["parts"] = {name: [part.digest, part.content] for name, part in release.parts.items()}
    return digest_value(content).split(":")[1][:ID_DIGITS]


def identified(release: Release) -> Release:
    """Return the release under the id that follows from it."""
    return release.copy(update={"id": release_id(release)})


def manifest_name(release: str) -> str:
    return f"releases/{release}/{MANIFEST}"


def write_release(release: Release) -> bytes:
    """Return a manifest's bytes, for people and diffs: keys sorted, indented, UTF-8."""
    return (json.dumps(release.dict(), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")


def read_release(content: bytes, place: str) -> Release:
    """Return the release that a manifest's bytes hold; StateError, with the place, if they hold none."""
    try:
        return Release(**json.loads(content))
    except (ValueError, TypeError, ValidationError) as error:
        raise StateError(
            f"{place}: is no release that this version can read: {error}\n"
            "Expected what a deploy writes. Remove the release's folder, or use the version that wrote it."
        ) from None
