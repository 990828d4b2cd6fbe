import copy
import json
from pathlib import Path
from typing import Dict

import pytest

from esteira.errors import JobError
from esteira.jobs.bind import bind_release
from esteira.jobs.targets.tasks import Job
from esteira.local.jobs.localise import localised
from esteira.local.jobs.reader import read_job
from esteira.release.manifest import Part, Release
from tests.jobs.targets.fixed import FORMS, bound_of, release_of, settings_of, small_job
from tests.jobs.targets.golden import FOLDER

FOLDER_HERE = "/somewhere/bucket"
FLAGS: Dict[str, Dict[str, str]] = {"plain": {}, **FORMS}


def moved(release: Release, folder: str) -> Release:
    """Return the release as the environment `local` has it, its parts below a folder."""
    parts: Dict[str, Part] = {
        name: part.copy(update={"uri": part.uri.replace("gs://demo-bucket", folder)})
        for name, part in release.parts.items()
    }
    return release.copy(update={"parts": parts})


@pytest.mark.parametrize("form", FLAGS)
def test_a_job_of_the_cloud_becomes_the_one_that_local_binds(form: str, tmp_path: Path) -> None:
    cloud = settings_of(tmp_path / "cloud", FLAGS[form])
    local = settings_of(tmp_path / "local", {}, env="local")
    bucket = str(local.folder.parent)
    here = bind_release(local, moved(release_of(cloud), bucket), small_job())
    assert localised(bound_of(cloud, small_job()), bucket) == here


@pytest.mark.parametrize("form", FORMS)
def test_the_golden_jobs_can_be_run_here_with_all_their_tasks(form: str) -> None:
    cloud = json.loads((FOLDER / f"{form}.json").read_text(encoding="utf-8"))
    before = copy.deepcopy(cloud)
    local = localised(cloud, FOLDER_HERE)
    assert cloud == before
    read = read_job(local)
    assert sorted(read.tasks) == sorted(cloud["pipelineSpec"]["root"]["dag"]["tasks"])
    assert read.root == f"{FOLDER_HERE}/sentiment/root"
    text = json.dumps(local)
    assert "gs://" not in text and "ai_platform" not in text and "demo-project/locations" not in text


def test_all_forms_are_one_job_here() -> None:
    jobs = [localised(json.loads(path.read_text(encoding="utf-8")), FOLDER_HERE) for path in FOLDER.glob("*.json")]
    assert len(jobs) == len(FORMS)
    assert all(job == jobs[0] for job in jobs)


def test_another_bucket_whose_name_begins_alike_stays_where_it_is(tmp_path: Path) -> None:
    job: Job = bound_of(settings_of(tmp_path, {}), small_job())
    job["runtimeConfig"]["parameters"]["data_uri"] = {"stringValue": "gs://demo-bucket-2/data"}
    assert localised(job, FOLDER_HERE)["runtimeConfig"]["parameters"]["data_uri"] == {
        "stringValue": "gs://demo-bucket-2/data"
    }


def test_a_cache_that_is_off_stays_off(tmp_path: Path) -> None:
    job = localised(bound_of(settings_of(tmp_path, {"cloud.cache": "false"}), small_job()), FOLDER_HERE)
    tasks = job["pipelineSpec"]["root"]["dag"]["tasks"].values()
    assert [task["cachingOptions"] for task in tasks] == [{"enableCache": False}] * 3


def test_a_job_without_a_bucket_is_told(tmp_path: Path) -> None:
    local = settings_of(tmp_path, {}, env="local")
    job = bind_release(local, release_of(local), small_job())
    with pytest.raises(JobError) as caught:
        localised(job, FOLDER_HERE)
    assert str(caught.value) == (
        f"job.runtimeConfig.gcsOutputDirectory: is {local.bucket}/root; expected gs://bucket/…, as a job has "
        "that is bound to an environment in Google Cloud. Run: make job ENV=name"
    )
