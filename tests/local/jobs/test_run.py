import os
import shutil
from pathlib import Path
from typing import Callable

import pytest

from esteira.errors import JobError, StateError
from esteira.local.jobs.leftovers import hold_run
from esteira.local.jobs.store import context_name
from esteira.settings import Settings
from tests.local.jobs.handmade import WRITE, HandmadeJob, run, states

pytestmark = pytest.mark.programs
SEEN = "open(into('a') + '/file').read() == 'done' or sys.exit('no input'); " + WRITE


def make_job(settings: Settings, **options: str) -> HandmadeJob:
    return HandmadeJob(settings.state / "bucket" / "root", **options)


def test_tasks_hand_artifacts_on_and_are_cached_the_second_time(settings: Settings) -> None:
    job = make_job(settings).script("one").script("two", SEEN, inputs={"a": "one.result"})
    first = run(job, settings, "r1")
    assert states(first) == {"one": "succeeded", "two": "succeeded"}
    second = run(job, settings, "r2")
    assert states(second) == {"one": "cached", "two": "cached"}
    assert second.tasks["two"].outputs == first.tasks["two"].outputs
    assert Path(first.tasks["one"].outputs["result"][0].uri, "file").read_text(encoding="utf-8") == "done"
    assert first.tasks["one"].log == settings.state / "logs" / "runs" / "r1" / "one.log"


def test_a_failed_task_stops_what_depends_on_it_and_nothing_else(settings: Settings) -> None:
    job = make_job(settings).script("bad", "print('the reason'); sys.exit(3)").script("good")
    job.script("after_bad", after=["bad"]).script("later", after=["after_bad"]).script("after_good", after=["good"])
    result = run(job, settings, "r1")
    assert result.state == "failed"
    assert states(result) == {
        "bad": "failed",
        "good": "succeeded",
        "after_bad": "skipped",
        "after_good": "succeeded",
        "later": "skipped",
    }
    with pytest.raises(JobError) as caught:
        result.require_success()
    log = settings.state / "logs" / "runs" / "r1" / "bad.log"
    assert str(caught.value) == (
        f"task bad: its command left with status 3.\nThe end of its log:\n  the reason\nThe whole log: {log}"
    )


def test_a_killed_task_is_told_by_the_signals_name(settings: Settings) -> None:
    job = make_job(settings).script("one", "os.kill(os.getpid(), 9)")
    assert "was ended by the signal SIGKILL" in run(job, settings, "r1").tasks["one"].error


def test_a_missing_program_is_told(settings: Settings) -> None:
    job = make_job(settings).script("one")
    job.executors["one_executor"]["container"]["command"] = ["no-such-program"]
    error = run(job, settings, "r1").tasks["one"].error
    assert "left with status 127" in error
    assert "no-such-program: cannot be run: No such file or directory." in error


def test_a_failed_task_leaves_nothing_that_is_live_or_cached(settings: Settings) -> None:
    job = make_job(settings).script("one", WRITE + "; sys.exit(1)")
    job.resolver("find", "model", "tfx.Schema", 'schema_title="tfx.Schema" AND state=LIVE')
    job.tasks["find"]["dependentTasks"] = []
    assert states(run(job, settings, "r1"))["one"] == "failed"
    again = run(job, settings, "r2")
    assert states(again) == {"one": "failed", "find": "succeeded"}
    assert again.tasks["find"].outputs == {}


def test_a_finished_task_whose_output_was_removed_is_run_again(settings: Settings) -> None:
    job = make_job(settings).script("one")
    output = run(job, settings, "r1").tasks["one"].outputs["result"][0]
    Path(output.uri, "file").unlink()
    assert states(run(job, settings, "r2")) == {"one": "succeeded"}


def test_without_cache_everything_is_run_again(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(run__cache="false")
    job = make_job(settings).script("one")
    run(job, settings, "r1")
    assert states(run(job, settings, "r2")) == {"one": "succeeded"}


def test_independent_tasks_run_side_by_side(settings: Settings, tmp_path: Path) -> None:
    meet = (
        "import pathlib; here, there = {!r}, {!r}\n"
        "pathlib.Path(here).touch()\n"
        "while not os.path.exists(there): time.sleep(0.01)\n" + WRITE
    )
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    job = make_job(settings).script("one", meet.format(a, b)).script("two", meet.format(b, a))
    assert states(run(job, settings, "r1")) == {"one": "succeeded", "two": "succeeded"}


def test_one_worker_runs_one_task_at_a_time(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    alone = f"os.mkdir({str(tmp_path / 'busy')!r}); time.sleep(0.05); os.rmdir({str(tmp_path / 'busy')!r}); " + WRITE
    settings = make_settings(run__workers="1")
    job = make_job(settings).script("one", alone).script("two", alone).script("three", alone)
    assert set(states(run(job, settings, "r1")).values()) == {"succeeded"}


def test_a_false_condition_skips_the_task_and_what_follows_and_the_run_succeeds(settings: Settings) -> None:
    job = make_job(settings).script("count", WRITE + "; answer(result={'size': 7})")
    job.script("many", inputs={"c": "count.result"}).script("few", inputs={"c": "count.result"})
    job.script("after_few", after=["few"])
    size = "inputs.artifacts['c'].artifacts[0].metadata['size']"
    job.tasks["many"]["triggerPolicy"] = {"condition": f"({size} > 5.0)"}
    job.tasks["few"]["triggerPolicy"] = {"condition": f"({size} < 5.0)"}
    result = run(job, settings, "r1")
    assert result.state == "succeeded"
    assert states(result) == {
        "count": "succeeded",
        "many": "succeeded",
        "few": "skipped",
        "after_few": "skipped",
    }


def test_output_parameters_reach_the_next_task(settings: Settings) -> None:
    write = "open(given['outputs']['parameters']['n']['outputFile'], 'w').write('6')"
    read = "assert given['inputs']['parameters']['m'] == {'intValue': '6'}"
    job = (
        make_job(settings)
        .script("one", write)
        .script(
            "two",
            read,
            parameters={"m": {"taskOutputParameter": {"producerTask": "one", "outputParameterKey": "n"}}},
        )
    )
    job.components["one"]["outputDefinitions"]["parameters"] = {"n": {"parameterType": "NUMBER_INTEGER"}}
    assert set(states(run(job, settings, "r1")).values()) == {"succeeded"}
    assert set(states(run(job, settings, "r2")).values()) == {"cached"}


def blessing_job(settings: Settings, blessed: int, pipeline: str = "sentiment") -> HandmadeJob:
    """The latest blessed model of this pipeline, as TFX's resolver asks for it, and a task that uses it."""
    live, context = " AND state=LIVE", f' AND in_context("{context_name(pipeline)}")'
    find_blessing = f'schema_title="tfx.ModelBlessing"{live} AND metadata.blessed.number_value=1{context}'
    current = "{{$.inputs.artifacts['input'].metadata['current_model_id']}}"
    job = make_job(settings, pipeline=pipeline)
    job.resolver("find_blessing", "blessing", "tfx.ModelBlessing", find_blessing)
    job.resolver(
        "find_model",
        "model",
        "tfx.Model",
        f'schema_title="tfx.Model"{live} AND name="{current}"',
        inputs={"input": "find_blessing.blessing"},
    )
    job.script("train", "answer()", outputs={"model": "tfx.Model"})
    name = "given['inputs']['artifacts']['model']['artifacts'][0]['name']"
    return job.script(
        "evaluate",
        f"answer(blessing={{'blessed': {blessed}, 'current_model_id': {name}}})",
        inputs={"model": "train.model", "baseline": "find_model.model"},
        outputs={"blessing": "tfx.ModelBlessing"},
    )


def test_a_resolver_finds_the_latest_blessed_model_of_this_pipeline_only(settings: Settings) -> None:
    first = run(blessing_job(settings, 1), settings, "r1")
    assert first.tasks["find_model"].outputs == {}
    assert run(blessing_job(settings, 1, "other"), settings, "r2").tasks["find_model"].outputs == {}
    third = run(blessing_job(settings, 1), settings, "r3")
    assert third.tasks["find_model"].outputs == first.tasks["train"].outputs
    assert third.tasks["evaluate"].state == "succeeded", "its baseline is new"
    assert run(blessing_job(settings, 1), settings, "r4").tasks["evaluate"].state == "cached"


def test_a_model_that_was_not_blessed_is_not_found(settings: Settings) -> None:
    run(blessing_job(settings, 0), settings, "r1")
    assert run(blessing_job(settings, 0), settings, "r2").tasks["find_model"].outputs == {}


def test_a_blessed_model_whose_files_were_removed_is_not_found(settings: Settings) -> None:
    first = run(blessing_job(settings, 1), settings, "r1")
    shutil.rmtree(first.tasks["train"].outputs["model"][0].uri)
    again = run(blessing_job(settings, 1), settings, "r2")
    assert again.tasks["find_model"].outputs == {}
    assert states(again)["train"] == "succeeded"


def test_importers_take_the_same_artifact_unless_told_to_import_anew(settings: Settings, tmp_path: Path) -> None:
    job = make_job(settings).importer("old", str(tmp_path)).importer("new", str(tmp_path), reimport=True)
    first, second = run(job, settings, "r1"), run(job, settings, "r2")
    assert states(second) == {"new": "succeeded", "old": "cached"}
    assert first.tasks["new"].outputs != second.tasks["new"].outputs
    job.script("use", "pass", inputs={"a": "new.result"}, outputs={})
    assert states(run(job, settings, "r3"))["use"] == "succeeded"
    assert states(run(job, settings, "r4"))["use"] == "cached", "an import counts by its place"


def test_an_import_of_nothing_fails_with_its_place(settings: Settings, tmp_path: Path) -> None:
    result = run(make_job(settings).importer("old", str(tmp_path / "ghost")), settings, "r1")
    assert result.tasks["old"].error.startswith(f"task old: imports {tmp_path / 'ghost'}, and nothing lies there.")


def test_a_folder_for_logs_that_cannot_be_written_is_an_error_before_anything_runs(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = make_settings()
    (settings.state / "logs").mkdir(parents=True)
    (settings.state / "logs" / "runs").symlink_to("/proc/self/fdinfo")
    with pytest.raises(StateError, match="cannot write"):
        run(make_job(settings).script("one"), settings, "r1")
    assert not (settings.state / "metadata.sqlite").exists()


def test_a_job_that_is_wrong_anywhere_runs_nothing(settings: Settings) -> None:
    job = make_job(settings).script("one").script("two", after=["one"])
    job.tasks["two"]["triggerPolicy"] = {"condition": "size(x) > 1"}
    with pytest.raises(JobError, match="task two: its condition"):
        run(job, settings, "r1")
    assert not settings.state.exists()


def test_a_run_that_runs_already_is_an_error(settings: Settings) -> None:
    with hold_run(settings.state / "logs" / "runs", "r1"):
        with pytest.raises(StateError, match="run r1: is running in another process"):
            run(make_job(settings).script("one"), settings, "r1")
        assert states(run(make_job(settings).script("one"), settings, "r2")) == {"one": "succeeded"}


def test_a_task_sees_the_repository_and_its_own_environment(settings: Settings) -> None:
    code = "assert os.getcwd() == sys.argv[2] and os.environ['COLOUR'] == 'red'; import esteira"
    job = make_job(settings).script("one", code)
    container = job.executors["one_executor"]["container"]
    container["args"].append(os.path.realpath(settings.root))
    container["env"] = [{"name": "COLOUR", "value": "red"}]
    assert states(run(job, settings, "r1")) == {"one": "succeeded"}
