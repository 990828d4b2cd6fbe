import sqlite3
from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.local.jobs.records import SqliteRecords
from esteira.local.jobs.spec import ArtifactType
from esteira.local.jobs.store import Store

MODEL = ArtifactType("tfx.Model", {"instanceSchema": "title: tfx.Model\n"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store in which run r-1 made a model, r-2 took it from the cache, and r-3 only found it."""
    with Store(tmp_path / "a #1?" / "m.sqlite") as store:
        execution, folder = store.start_execution("r-1", "Trainer", str(tmp_path), {"module": "/é/modules.py"})
        model = store.add_output(execution, "model", MODEL, str(folder / "model"), {})
        store.complete_execution(execution, {}, {"model": [model]}, contexts=[], cache_key="k")
        again, _ = store.start_execution("r-2", "Trainer", str(tmp_path), {})
        store.reuse_execution(again, execution, {}, {"model": [model]}, contexts=[])
        resolver, _ = store.start_execution("r-3", "resolver", str(tmp_path), {})
        store.reuse_execution(resolver, 0, {}, {"model": [model]}, contexts=[])
    return store.path


def test_an_artifact_is_told_with_its_maker_whoever_puts_it_out(path: Path) -> None:
    records = SqliteRecords(path)
    for run in ("r-1", "r-2", "r-3"):
        (task,) = records.tasks_of(run)
        (model,) = task.outputs["model"]
        assert (model.run, model.task, model.type) == ("r-1", "Trainer", "tfx.Model")
    assert [records.tasks_of(run)[0].cached_from for run in ("r-1", "r-2", "r-3")] == ["", "r-1", ""]
    assert records.tasks_of("r-4") == []


def test_the_runs_with_a_model_begin_with_its_maker_and_leave_out_who_only_found_it(path: Path) -> None:
    records = SqliteRecords(path)
    assert records.runs_with_model(records.tasks_of("r-1")[0].outputs["model"][0].uri) == ["r-1", "r-2"]


def test_the_runs_of_a_release_come_latest_first(path: Path) -> None:
    assert SqliteRecords(path).runs_of("r") == ["r-3", "r-2", "r-1"]
    assert SqliteRecords(path).runs_of("") == []


def test_readers_are_found_by_parameter_and_by_artifact(path: Path) -> None:
    records = SqliteRecords(path)
    assert [task.run for task in records.readers_of("/é")] == ["r-1"]
    assert records.readers_of("/é/mod") == []


def test_reading_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    records = SqliteRecords(path)
    records.tasks_of("r-1")
    with pytest.raises(StateError, match="cannot be read as metadata store: attempt to write a readonly database"):
        records._ask("DELETE FROM events")
    assert path.read_bytes() == before


def test_a_store_of_another_version_or_none_at_all_is_an_error(path: Path, tmp_path: Path) -> None:
    with sqlite3.connect(str(path)) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(StateError, match="holds metadata of version 9; expected version 1"):
        SqliteRecords(path)
    (tmp_path / "text").write_text("no database, but long enough to be taken for one" * 10)
    for name in ("text", "missing"):
        with pytest.raises(StateError, match=f"{name}: cannot be read as metadata store: (?s:.*)make clean"):
            SqliteRecords(tmp_path / name)
