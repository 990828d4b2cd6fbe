"""The manifest of a release: what was deployed, why, by whom, and what came of it.

A release lies at releases/<id>/release.json in its environment's store. Its id follows from what it
is made of; only `outcome` is filled in later.
"""

import json
from typing import Any, Dict, List, Optional, Tuple

from pydantic import BaseModel, Field, ValidationError
from typing_extensions import Literal

from esteira.errors import StateError
from esteira.release.digest import digest_value
from esteira.release.store.names import remove_command

ID_DIGITS = 12
MANIFEST = "release.json"
JOB = "job.json"
# Beside the manifest of a release whose source differed from its commit.
PATCH = "source.patch"
PARTS = ("image", "job", "modules", "data", "hyperparameters", "settings")

# What the published schema says of a value beyond its type; see esteira/release/schema.py.
DIGEST_PATTERN = "^sha256:[0-9a-f]{64}$"
OPTIONAL_DIGEST_PATTERN = "^(sha256:[0-9a-f]{64})?$"
ID_PATTERN = f"^[0-9a-f]{{{ID_DIGITS}}}$"
COMMIT_PATTERN = "^([0-9a-f]{40}|[0-9a-f]{64})?$"
TIME_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"


class UnreadableError(StateError):
    """A manifest is there, and holds no release that this version can read.

    Next: use the version that wrote it, or remove the release with the command that the message has.
    """

    exit_code = 17


class Frozen(BaseModel):
    """A value that is kept as JSON: immutable, and closed to keys that it does not know."""

    class Config:
        allow_mutation = False
        extra = "forbid"


class Part(Frozen):
    """One content-addressed piece of a release."""

    digest: str = Field(
        description="Over the files and values that the part is made of: the name of inputs/<hex>.json",
        pattern=DIGEST_PATTERN,
    )
    content: str = Field(
        "",
        description="Over the files laid down at `uri`; empty where nothing is laid down",
        pattern=OPTIONAL_DIGEST_PATTERN,
    )
    uri: str = Field("", description="Where the part was laid down, named by `content`")
    files: int = Field(0, description="The number of files laid down; 0 where it is not known", ge=0)


class Outcome(Frozen):
    """What a release's last run came to."""

    run: str = Field(description="The id of the run, which its logs and its metadata bear", min_length=1)
    at: str = Field(description="When it was known, UTC, as 2026-11-22T21:30:41Z", pattern=TIME_PATTERN)
    blessed: bool = Field(description="Whether the model passed the gate, so that it may be served")
    error: str = Field("", description="Why the run failed or the model is not blessed; empty where it is")
    evaluation: Dict[str, Any] = Field(
        default_factory=dict, description="report.json of the run's EvaluationReport; empty where the run failed"
    )
    model: str = Field("", description="Where the blessed model lies")
    logs: str = Field("", description="Where the logs of the run lie")


class Release(Frozen):
    """A deploy: its parts by digest, where they came from, and what came of it."""

    version: Literal[1] = Field(1, description="The version of this form of the manifest")
    id: str = Field(
        description="Follows from what it is made of: from all but uri, reason, by, at, build and outcome",
        pattern=ID_PATTERN,
    )
    pipeline: str = Field(description="The pipeline's name, pipeline.name of the settings")
    commit: str = Field(
        description="The commit that the source was taken from; empty before the first one", pattern=COMMIT_PATTERN
    )
    dirty: bool = Field(description="Whether the source differed from the commit")
    kind: Literal["full", "partial", "rollback"] = Field(
        description="full: image and job were made; partial: the parent's were used again; rollback: nothing was made"
    )
    parent: Optional[str] = Field(
        None, description="The release that was current when this one was made", pattern=ID_PATTERN
    )
    restores: Optional[str] = Field(None, description="The release that a rollback brings back", pattern=ID_PATTERN)
    parts: Dict[str, Part] = Field(description="The pieces that the release is made of, by name")
    reason: str = Field("", description="Why it was deployed, in a sentence")
    by: str = Field("", description="Who deployed it, as user@host")
    at: str = Field("", description="When, UTC, as 2026-11-22T21:30:41Z", pattern=TIME_PATTERN)
    build: str = Field("", description="The id of the build that made it; empty for a rollback")
    outcome: Optional[Outcome] = Field(None, description="What its last run came to; null until that is known")

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


def ordered_parts(release: Release) -> List[Tuple[str, Part]]:
    """Return the parts by name, in the order that people are shown them."""
    names = [*(name for name in PARTS if name in release.parts), *sorted(set(release.parts) - set(PARTS))]
    return [(name, release.parts[name]) for name in names]


def manifest_name(release: str) -> str:
    return f"releases/{release}/{MANIFEST}"


def json_text(value: Any) -> str:
    """Return a JSON value for people and diffs: keys sorted, indented, a line break at its end."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_release(release: Release) -> bytes:
    """Return a manifest's bytes, UTF-8."""
    return json_text(release.dict()).encode("utf-8")


def read_release(content: bytes, place: str) -> Release:
    """Return the release that a manifest's bytes hold; UnreadableError, with the place, if they hold none."""
    try:
        return Release(**json.loads(content))
    except (ValueError, TypeError, ValidationError) as error:
        raise UnreadableError(
            f"{place}: is no release that this version can read: {error}\n"
            "Expected what a deploy writes. Use the version that wrote it, "
            f"or remove the release: {remove_command(place)}"
        ) from None
