"""A job that TFX compiled, run by its own commands: forked, cached, killed and in processes of their own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import pytest

from esteira.local.jobs.run import RunResult
from esteira.settings import Settings
from tests.local.jobs.handmade import REPOSITORY, HandmadeJob, run, start_run, states

pytestmark = [pytest.mark.programs, pytest.mark.slow, pytest.mark.timeout(400)]


def compile_small_pipeline(folder: Path) -> None:
    # In a module of its own, as the executors' class paths name it.
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    code = "import sys; from tests.local.jobs import small_pipeline; small_pipeline.compile_to(sys.argv[1])"
    command = [sys.executable, "-W", "ignore", "-c", code, str(folder)]
    subprocess.run(command, cwd=REPOSITORY, env=environ, check=True, timeout=200)


def lay_down_data(folder: Path) -> None:
    for split, rows in (("train", 40), ("eval", 20)):
        (folder / split).mkdir(parents=True)
        lines = ["text,label", *(f"word {row},{'good' if row % 2 else 'bad'}" for row in range(rows))]
        (folder / split / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


class CompiledJob(HandmadeJob):
    """The small pipeline's job, with the folders that it reads."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "root")
        compile_small_pipeline(folder)
        lay_down_data(folder / "data")
        (folder / "schema").mkdir()
        (folder / "schema" / "schema.pbtxt").write_text('feature { name: "text" type: BYTES }\n', encoding="utf-8")
        self.go = folder / "go"
        self.document = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        self.document["runtimeConfig"] = {
            "gcsOutputDirectory": str(folder / "root"),
            "parameters": {
                "data_uri": {"stringValue": str(folder / "data")},
                "schema_uri": {"stringValue": str(folder / "schema")},
                "wait_for": {"stringValue": str(self.go)},
            },
        }


def check_outputs(result: RunResult) -> None:
    examples = result.tasks["CsvExampleGen"].outputs["examples"][0]
    assert examples.type == "tfx.Examples"
    assert examples.metadata["split_names"] == '["train", "eval"]'
    assert Path(examples.uri, "Split-train").is_dir()
    count = result.tasks["CountSplits"].outputs["result"][0]
    assert (Path(count.uri).read_text(encoding="utf-8"), count.metadata["count"]) == ("2", 2)
    assert result.tasks["latest_blessed-model-resolver"].outputs == {}


def test_a_compiled_job_is_resumed_cached_and_gives_the_same_in_processes_of_their_own(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = make_settings()
    job = CompiledJob(tmp_path)
    runner = start_run(job, settings, "killed")
    log = settings.state / "logs" / "runs" / "killed" / "CountSplits.log"
    limit_s = time.monotonic() + 200
    while not (log.exists() and "Starting executor" in log.read_text(encoding="utf-8")):
        assert time.monotonic() < limit_s and runner.poll() is None
        time.sleep(0.1)
    runner.kill()
    runner.wait()

    job.go.touch()
    resumed = run(job, settings, "resumed").require_success()
    found = states(resumed)
    assert found.pop("ExampleValidator") in ("cached", "succeeded"), "it ran beside the task that was killed"
    assert found == {
        "CsvExampleGen": "cached",
        "StatisticsGen": "cached",
        "schema_importer": "cached",
        "latest_blessed-model-blessing-resolver": "succeeded",
        "latest_blessed-model-resolver": "succeeded",
        "CountSplits": "succeeded",
        "OnlyIfTwo": "succeeded",
        "OnlyIfThree": "skipped",
    }
    check_outputs(resumed)

    for path in tmp_path.glob("data/*/data.csv"):
        os.utime(path, (1, 1))
    again = states(run(job, settings, "again"))
    assert {name for name, state in again.items() if state != "cached"} == {
        "latest_blessed-model-blessing-resolver",
        "latest_blessed-model-resolver",
        "OnlyIfThree",
    }

    job.tasks = job.document["pipelineSpec"]["root"]["dag"]["tasks"]
    job.tasks["CountSplits"]["cachingOptions"] = {}
    apart = run(job, make_settings(run__isolation="process"), "apart").require_success()
    assert states(apart)["CountSplits"] == "succeeded"
    check_outputs(apart)
