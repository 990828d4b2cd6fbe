import json
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from esteira.jobs.bind import bind_release
from esteira.jobs.targets.front import no_release, write_bound_job
from esteira.jobs.targets.tasks import Job
from esteira.release.history import keep_release, make_current
from esteira.release.manifest import Release
from esteira.release.parts import lay_job
from esteira.release.store import open_store
from esteira.release.store.interface import ABSENT
from esteira.settings import Environment, Settings
from tests.bucket_server import bucket_server, environment
from tests.jobs.targets.fixed import IMAGE, bound_of, release_of, settings_of, small_job

__all__ = ["bucket_server", "environment"]

COMPILED = "Compiled from what is here. Zeros stand for the digests of a release."


def written(settings: Settings) -> Tuple[Job, List[str]]:
    """Return the job that is written and what is said."""
    said: List[str] = []
    path = write_bound_job(settings, said.append)
    assert path == settings.root / "build" / "job.json"
    assert said.pop() == f"The job of {settings.selected}: {path}"
    return json.loads(path.read_text(encoding="utf-8")), said


def released(settings: Settings, folder: Path) -> Release:
    """Make a release of the small job current in the settings' store, and return it."""
    store, release = open_store(settings), release_of(settings)
    (folder / "job.json").write_text(json.dumps(small_job()))
    part = lay_job(store, release.parts["job"].digest, folder / "job.json")
    release = keep_release(store, release.copy(update={"parts": {**release.parts, "job": part}}))
    make_current(store, release.id, if_generation=ABSENT)
    return release


@pytest.mark.programs
def test_the_current_releases_job_is_bound_to_the_settings_of_now(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "repository", {}, env="local")
    released(settings, tmp_path)
    job, said = written(settings)
    assert said == ["Bound to the current release 0123456789ab."]
    assert job == bound_of(settings, small_job())


@pytest.mark.programs
@pytest.mark.loopback
def test_a_cloud_environments_job_is_bound_to_what_is_asked_for(environment: Environment, tmp_path: Path) -> None:
    flags = {"trainer.place": "custom_job"}
    released(settings_of(tmp_path / "repository", {}, bucket=environment.bucket), tmp_path)
    settings = settings_of(tmp_path / "repository", flags, bucket=environment.bucket)
    job, said = written(settings)
    assert said == ["Bound to the current release 0123456789ab."]
    assert job == bound_of(settings, small_job())
    assert job["runtimeConfig"]["gcsOutputDirectory"] == f"gs://{environment.bucket}/sentiment/root"
    assert IMAGE in json.dumps(job) and "ai_platform_training_args" in json.dumps(job)


@pytest.mark.slow
@pytest.mark.programs
@pytest.mark.loopback
def test_a_bucket_that_cannot_be_read_is_told_and_what_is_here_compiled(
    environment: Environment, tmp_path: Path, compiled_job: Job
) -> None:
    settings = settings_of(tmp_path / "repository", {}, bucket="no-such-bucket")
    job, said = written(settings)
    assert said[0].startswith("gs://no-such-bucket/sentiment/current: cannot ")
    assert said[0].endswith("\nSo the current release is not known.")
    assert said[1:] == [COMPILED]
    assert job == bound_again(settings, compiled_job)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "env", "said"),
    [
        ({}, "local", [COMPILED]),
        (
            {"cloud.target": "ai_platform"},
            "dev",
            [
                'cloud.target = "ai_platform": this form was shut down on 2025-01-31 and cannot be deployed. '
                'Expected for a deploy: cloud.target = "vertex"',
                COMPILED,
            ],
        ),
    ],
)
def test_without_a_release_what_is_here_is_compiled(
    flags: Dict[str, str], env: str, said: List[str], tmp_path: Path, compiled_job: Job
) -> None:
    settings = settings_of(tmp_path / "repository", flags, env=env)
    assert written(settings) == (bound_again(settings, compiled_job), said)


def bound_again(settings: Settings, compiled: Job) -> Job:
    return bind_release(settings, no_release(settings), compiled)
