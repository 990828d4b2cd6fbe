"""The manifest of a release, its outcome, and the pointer `current`."""

from pathlib import Path
from typing import Any, Dict, Optional, Type, TypeVar

from pydantic import BaseModel, ValidationError

from esteira.errors import StateError
from esteira.files import read_json, write_json, write_text
from esteira.release.digest import digest_value
from esteira.release.parts import Frozen, Part
from esteira.settings import Settings

ID_DIGITS = 12
MANIFEST = "release.json"
JOB = "job.json"
OUTCOME = "run.json"

Model = TypeVar("Model", bound=BaseModel)


class Release(Frozen):
    """What a deploy is made of: parts by digest, and the commit they were made from.

    `commit` ends in "-dirty" where the source held uncommitted changes.
    """

    id: str
    pipeline: str
    commit: str
    kind: str
    parts: Dict[str, Part]


class Outcome(Frozen):
    """What a release's run came to. `evaluation` is the content of the run's report.json."""

    release: str
    run: str
    blessed: bool
    evaluation: Dict[str, Any]
    model: str
    logs: str


def make_release(settings: Settings, commit: str, parts: Dict[str, Part]) -> Release:
    """Return a release whose id follows from the pipeline, the commit and the parts' digests."""
    content = {
        "pipeline": settings.pipeline.name,
        "commit": commit,
        "parts": {name: part.digest for name, part in parts.items()},
    }
    identity = digest_value(content).split(":")[1][:ID_DIGITS]
    return Release(id=identity, pipeline=settings.pipeline.name, commit=commit, kind="full", parts=parts)


def release_folder(settings: Settings, release_id: str) -> Path:
    return settings.folder / "releases" / release_id


def write_model(path: Path, value: BaseModel) -> None:
    write_json(path, value.dict())


def read_release(path: Path) -> Release:
    """Return the manifest at `path`; StateError if there is none."""
    return read_model(path, Release, ".venv/bin/inv release")


def read_outcome(path: Path) -> Outcome:
    """Return the outcome at `path`; StateError if there is none."""
    return read_model(path, Outcome, ".venv/bin/inv run")


def read_model(path: Path, kind: Type[Model], command: str) -> Model:
    values = read_json(path, command)
    try:
        return kind(**values)
    except (TypeError, ValidationError) as error:
        raise StateError(
            f"{path}: is not what this version writes: {error}\nRemove it and run: {command}"
        ) from None


def promote(settings: Settings, outcome: Outcome) -> None:
    """Keep the outcome beside its release, then move `current` to it in one rename."""
    write_model(release_folder(settings, outcome.release) / OUTCOME, outcome)
    write_text(settings.folder / "current", outcome.release + "\n")


def current_release_id(settings: Settings) -> Optional[str]:
    """Return the id of the release that is served, None before the first deploy."""
    try:
        return (settings.folder / "current").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def current_outcome(settings: Settings) -> Outcome:
    """Return the outcome of the current release; StateError if nothing is deployed."""
    release_id = current_release_id(settings)
    if release_id is None:
        raise StateError(f"{settings.selected}: nothing is deployed yet. Run: make deploy-full")
    return read_outcome(release_folder(settings, release_id) / OUTCOME)
