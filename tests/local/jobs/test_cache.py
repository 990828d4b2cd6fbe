import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict

import pytest

from esteira.local.jobs.cache import build_driver_key, build_key, find_cached
from esteira.local.jobs.content import digest_content, measure_extent
from esteira.local.jobs.invocation import Invocation
from esteira.local.jobs.reader import read_job
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import ArtifactType
from esteira.local.jobs.store import Store
from tests.local.jobs.handmade import HandmadeJob

MODEL = Artifact("stores/artifacts/1", "tfx.Model", "/m", {})


def key(root: Path, *, run: str = "r1", code: str = "pass", image: str = "i@sha256:1", **changes: Any) -> str:
    job = HandmadeJob(root, changes.pop("pipeline", "sentiment")).script("Trainer", code)
    job.executors["Trainer_executor"]["container"]["image"] = image
    read = read_job(job.document)
    values: Dict[str, Any] = {"parameters": {"epochs": 2}, "artifacts": {"model": [MODEL]}, **changes}
    invocation = Invocation("Trainer", read.pipeline, read.root, run, root / run, **values)
    return build_key(read.tasks["Trainer"], invocation, {})


def test_the_key_does_not_depend_on_run_or_root(tmp_path: Path) -> None:
    assert key(tmp_path / "a") == key(tmp_path / "b", run="r2")


@pytest.mark.parametrize(
    "change",
    [
        {"code": "print()"},
        {"image": "i@sha256:2"},
        {"pipeline": "other"},
        {"parameters": {"epochs": 3}},
        {"parameters": {"epochs": "2"}},
        {"artifacts": {}},
        {"artifacts": {"model": [Artifact("stores/artifacts/2", "tfx.Model", "/m", {})]}},
    ],
)
def test_the_key_changes_with_whatever_may_change_the_outputs(change: Dict[str, Any], tmp_path: Path) -> None:
    assert key(tmp_path) != key(tmp_path, **change)


def test_a_drivers_key_holds_the_content_of_its_input_and_no_time_stamps(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    (data / "train" / "train.csv").write_text("text,label\n", encoding="utf-8")
    task = read_job(HandmadeJob(tmp_path).script("Gen").document).tasks["Gen"]
    invocation = Invocation("Gen", "p", "/r", "r1", tmp_path / "x", {"input_base": str(data)}, {})
    before = build_driver_key(task, invocation)
    os.utime(data / "train" / "train.csv", (1, 1))
    assert build_driver_key(task, invocation) == before
    (data / "train" / "train.csv").write_text("text,lebal\n", encoding="utf-8")
    assert build_driver_key(task, invocation) != before
    invocation.parameters["input_base"] = str(tmp_path / "ghost")
    assert build_driver_key(task, invocation) == ""


@pytest.mark.parametrize("damage", ["remove", "shorten"])
def test_a_cached_output_that_is_gone_or_cut_short_is_not_used(damage: str, tmp_path: Path) -> None:
    with Store(tmp_path / "m.sqlite") as store:
        execution, folder = store.start_execution("r1", "Trainer", str(tmp_path), {})
        type_ = ArtifactType("tfx.Model", {})
        artifact = store.add_output(execution, "model", type_, str(folder / "model"), {})
        Path(artifact.uri).mkdir(parents=True)
        file = Path(artifact.uri) / "saved_model.pb"
        file.write_bytes(b"12345")
        store.complete_execution(execution, {}, {"model": [artifact]}, contexts=[], cache_key="k")
        assert find_cached(store, "k") == (execution, {"model": [artifact]}, {})
        assert find_cached(store, "other") is None
        file.unlink() if damage == "remove" else file.write_bytes(b"123")
        assert find_cached(store, "k") is None


def test_a_pushed_model_that_was_removed_is_pushed_again(tmp_path: Path) -> None:
    serving = tmp_path / "serving" / "1732300000"
    serving.mkdir(parents=True)
    with Store(tmp_path / "m.sqlite") as store:
        execution, folder = store.start_execution("r1", "Pusher", str(tmp_path), {})
        pushed = {"pushed": 1, "pushed_destination": str(serving)}
        type_ = ArtifactType("tfx.PushedModel", {})
        artifact = store.add_output(execution, "pushed_model", type_, str(folder / "pushed_model"), {})
        artifact = replace(artifact, metadata=pushed)
        Path(artifact.uri).mkdir(parents=True)
        store.complete_execution(execution, {}, {"pushed_model": [artifact]}, contexts=[], cache_key="k")
        assert find_cached(store, "k") == (execution, {"pushed_model": [artifact]}, {})
        serving.rmdir()
        assert find_cached(store, "k") is None


def test_extent_and_digest_of_nothing_are_empty(tmp_path: Path) -> None:
    assert (measure_extent(str(tmp_path / "ghost")), digest_content(str(tmp_path / "ghost"))) == ("", "")
    assert measure_extent(str(tmp_path)) == "0 files, 0 bytes"
