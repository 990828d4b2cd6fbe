import sqlite3
from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import ArtifactType
from esteira.local.jobs.store import Store, context_name

MODEL = ArtifactType("tfx.Model", {"instanceSchema": "title: tfx.Model\n"})


def start(store: Store, folder: Path, run: str = "r1") -> "tuple[int, Artifact]":
    execution, place = store.start_execution(run, "Trainer", str(folder), {"epochs": 2})
    artifact = store.add_output(execution, "model", MODEL, str(place / "model"), {})
    Path(artifact.uri).mkdir(parents=True)
    return execution, artifact


def test_an_output_is_live_only_when_its_execution_is_complete(tmp_path: Path) -> None:
    with Store(tmp_path / "m.sqlite") as store:
        store.add_context("sentiment", "system.Pipeline")
        execution, artifact = start(store, tmp_path)
        assert [state for _, state, _ in store.find_artifacts()] == ["PENDING"]
        store.complete_execution(execution, {}, {"model": [artifact]}, contexts=["sentiment"], cache_key="k")
        assert list(store.find_artifacts()) == [(artifact, "LIVE", [context_name("sentiment")])]
        assert artifact.name == "projects/local/locations/local/metadataStores/default/artifacts/1"


def test_outputs_of_a_failed_execution_are_abandoned(tmp_path: Path) -> None:
    with Store(tmp_path / "m.sqlite") as store:
        execution, _ = start(store, tmp_path)
        store.end_execution(execution, "FAILED")
        assert [state for _, state, _ in store.find_artifacts()] == ["ABANDONED"]
        assert store.executions_of("r1") == [("Trainer", "FAILED")]


def test_what_a_killed_run_left_is_cancelled(tmp_path: Path) -> None:
    with Store(tmp_path / "m.sqlite") as store:
        _, artifact = start(store, tmp_path)
    with Store(tmp_path / "m.sqlite") as store:
        assert store.unfinished_runs() == ["r1"]
        assert store.cancel_left_over("r1") == [str(Path(artifact.uri).parent)]
        assert store.unfinished_runs() == []


def test_a_change_that_fails_halfway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(uri: str) -> str:
        raise OSError("the disk is gone")

    with Store(tmp_path / "m.sqlite") as store:
        execution, artifact = start(store, tmp_path)
        other = store.add_output(execution, "other", MODEL, str(tmp_path / "other"), {})
        outputs = {"model": [artifact], "other": [other]}
        with monkeypatch.context() as patch, pytest.raises(OSError, match="the disk is gone"):
            measured = iter(["1 files, 1 bytes"])
            patch.setattr("esteira.local.jobs.store.measure_extent", lambda uri: next(measured, None) or fail(uri))
            store.complete_execution(execution, {}, outputs, contexts=[])
        assert [state for _, state, _ in store.find_artifacts()] == ["PENDING", "PENDING"]
        assert store.executions_of("r1") == [("Trainer", "RUNNING")]


def test_the_latest_artifact_comes_first(tmp_path: Path) -> None:
    with Store(tmp_path / "m.sqlite") as store:
        start(store, tmp_path, "r1")
        start(store, tmp_path, "r2")
        assert [artifact.name.rpartition("/")[2] for artifact, _, _ in store.find_artifacts("tfx.Model")] == [
            "2",
            "1",
        ]


def test_two_open_stores_see_each_other(tmp_path: Path) -> None:
    with Store(tmp_path / "m.sqlite") as one, Store(tmp_path / "m.sqlite") as two:
        start(one, tmp_path, "r1")
        start(two, tmp_path, "r2")
        assert sorted(one.unfinished_runs()) == ["r1", "r2"] == sorted(two.unfinished_runs())


def test_metadata_of_another_version_is_an_error(tmp_path: Path) -> None:
    with sqlite3.connect(str(tmp_path / "m.sqlite")) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(StateError, match="holds metadata of version 9; expected version 1"):
        Store(tmp_path / "m.sqlite")


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "m.sqlite").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(StateError, match="cannot be used as metadata store"):
        Store(tmp_path / "m.sqlite")


def test_every_execution_and_artifact_is_found_by_its_run(tmp_path: Path) -> None:
    with Store(tmp_path / "m.sqlite") as store:
        store.add_context("sentiment", "system.Pipeline")
        execution, model = start(store, tmp_path, "r1")
        store.complete_execution(execution, {}, {"model": [model]}, contexts=["sentiment"])
        reader, _ = store.start_execution("r2", "Trainer", str(tmp_path), {})
        store.reuse_execution(reader, execution, {"baseline": [model]}, {"model": [model]}, contexts=[])
        assert store.execution_folders() == [
            ("r1", str(tmp_path / "r1" / "Trainer_1")),
            ("r2", str(tmp_path / "r2" / "Trainer_2")),
        ]
        assert list(store.artifacts_by_run()) == [("r1", model), ("r2", model)]


def test_what_is_removed_with_its_folder_is_deleted(tmp_path: Path) -> None:
    with Store(tmp_path / "m.sqlite") as store:
        artifacts = []
        for run in ("r", "r1", "r_"):
            execution, artifact = start(store, tmp_path, run)
            store.complete_execution(execution, {}, {"model": [artifact]}, contexts=[])
            artifacts.append(artifact)
        start(store, tmp_path, "pending")
        # A place is no pattern: its characters stand for themselves, and its end is the end of a name.
        store.mark_deleted(str(tmp_path / place) for place in ("r", "r_/Trainer_3/model", "pending"))
        states = {artifact.name: state for artifact, state, _ in store.find_artifacts()}
        assert [states[artifact.name] for artifact in artifacts] == ["DELETED", "LIVE", "DELETED"]
        assert sorted(states.values()) == ["DELETED", "DELETED", "LIVE", "PENDING"]
