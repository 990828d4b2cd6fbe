"""From a clone to a prediction: what a user types, on a sample of the real data."""

import json
import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from tests.conftest import REPOSITORY
from tests.make import VENV, make
from tests.sample import write_sample

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]
HEADLINES = REPOSITORY / "tests" / "data" / "manchetes.csv"
COLUMNS = {"ESTEIRA_DATA_TEXT_COLUMN": "titulo", "ESTEIRA_DATA_LABEL_COLUMN": "sentimento"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone, in a folder with a space in its name."""
    root = tmp_path_factory.mktemp("end to end") / "a clone"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(root)], check=True)
    return root


# A port on which nobody listens.
NO_REGISTRY = "127.0.0.1:9"


@pytest.fixture(scope="module")
def sample(clone: Path) -> Path:
    """A CSV with the first rows of the default data, which is fetched and prepared for it."""
    return write_sample(clone)


@pytest.fixture(scope="module")
def deployed(clone: Path, sample: Path) -> str:
    """What a full deploy of the sample printed."""
    run = on_sample(clone, "deploy-full")
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-4000:]
    return run.stdout


def on_sample(clone: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Run make with what makes the sample's deploys short: no base is looked for on the net."""
    environ = {"ESTEIRA_DATA_SOURCE_COLUMN": "source", "ESTEIRA_IMAGES_MIRRORS": f"docker.io={NO_REGISTRY}", **environ}
    return make(clone, *arguments, "DATA=sample.csv", "EPOCHS=3", **environ)


def current(clone: Path) -> str:
    return (bucket(clone) / "current").read_text().strip()


def bucket(clone: Path) -> Path:
    return clone / ".esteira" / "bucket" / "sentiment"


def release(clone: Path, release_id: str = "") -> Dict[str, Any]:
    """A release's manifest, the current one's unless told."""
    path = bucket(clone) / "releases" / (release_id or current(clone)) / "release.json"
    manifest: Dict[str, Any] = json.loads(path.read_text())
    return manifest


def newest(clone: Path) -> Dict[str, Any]:
    listed = json.loads(make(clone, "-s", "releases", "FORMAT=json").stdout)
    return release(clone, listed[0]["id"])


def tasks(output: str, state: str) -> List[str]:
    return re.findall(rf"^run: . (\S+): {state} ", output, re.MULTILINE)


def plan(clone: Path, **environ: str) -> Dict[str, Any]:
    run = on_sample(clone, "-s", "plan", "FORMAT=json", **environ)
    assert run.returncode == 0, run.stderr
    planned: Dict[str, Any] = json.loads(run.stdout)
    return planned


def test_a_clone_becomes_a_served_model(clone: Path, deployed: str) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, capture_output=True, encoding="utf-8").stdout
    assert f"Deployed release {current(clone)} to local" in " ".join(deployed.split())
    assert re.search(r"macro_f1 +0\.\d+ +≥ 0\.\d+", deployed)
    assert "✓  probabilities as at training" in deployed
    assert "✓  request log" in deployed
    # Without its base no image is made, and a deploy here needs none.
    assert f"image: skipped: The registry {NO_REGISTRY} cannot be reached: it refuses connections." in deployed
    assert release(clone)["parts"]["image"]["content"] == ""
    # The data lies in the clone, untracked: it is named by its content and makes no source dirty.
    assert (release(clone)["commit"], release(clone)["dirty"]) == (commit.strip(), False)
    summary = deployed.partition("Deployed release")[2]
    assert summary.count("\n  make ") == 3
    for place in re.findall(r"^(?:model|release|logs) +(.*)$", summary, re.MULTILINE):
        assert Path(place).exists()


def test_what_was_deployed_is_planned_as_none_and_not_deployed_again(clone: Path, deployed: str) -> None:
    assert on_sample(clone, "-s", "plan", "FORMAT=word").stdout == "none\n"
    before = current(clone)
    for target in ("deploy", "deploy-partial"):
        run = on_sample(clone, target)
        assert run.returncode == 0, run.stderr
        assert "Nothing to deploy" in run.stdout
    assert current(clone) == before


def test_predict_answers_with_label_confidence_and_probabilities(clone: Path, deployed: str) -> None:
    run = make(clone, "predict", 'TEXT=A "great" film & I loved it', "FORMAT=table")
    assert run.returncode == 0, run.stderr
    header, row = (line.split() for line in run.stdout.splitlines()[:2])
    assert header == ["text", "label", "confidence", "negative", "neutral", "positive"]
    assert abs(sum(float(value) for value in row[-3:]) - 1) < 0.01


@pytest.fixture
def server(clone: Path, deployed: str) -> Iterator[str]:
    process = subprocess.Popen(
        ["make", "serve", "PORT=0", f"VENV={VENV}"],
        cwd=clone,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = next(line for line in process.stdout if line.startswith("Serving"))
    yield line.split(" at ")[1].split()[0]
    os.killpg(process.pid, signal.SIGINT)
    process.wait(60)


def test_serve_speaks_tensorflow_servings_interface(server: str) -> None:
    body = json.dumps({"instances": [{"text": "I love it"}, {"text": ""}]}).encode()
    request = urllib.request.Request(f"{server}/v1/models/sentiment:predict", body)
    predictions = json.load(urllib.request.urlopen(request, timeout=30))["predictions"]
    assert [set(row) for row in predictions] == [{"label", "confidence", "probabilities"}] * 2


def test_a_full_deploy_of_the_same_trains_and_compiles_nothing(clone: Path, deployed: str) -> None:
    before = current(clone)
    run = on_sample(clone, "deploy-full")
    assert run.returncode == 0, run.stderr
    assert f"compile: job: as in release {before}" in run.stdout
    # The Evaluator runs once more: there is a baseline now.
    assert {"CsvExampleGen", "StatisticsGen", "Transform", "Trainer"} <= set(tasks(run.stdout, "cached"))
    assert re.search(r"macro_f1 +0\.\d+ +≥ 0\.\d+, Δ ≥ -0\.010 +0\.\d+", run.stdout)
    assert release(clone)["parent"] == before
    assert release(clone)["parts"] == release(clone, before)["parts"]


def test_a_changed_module_is_deployed_without_image_and_compile_and_rolled_back(clone: Path, deployed: str) -> None:
    before = release(clone)
    with (clone / "modules" / "text.py").open("a") as stream:
        stream.write("\n# Another comment.\n")
    planned = plan(clone)
    assert planned["kind"] == "partial"
    assert [change["part"] for change in planned["changes"]] == ["modules"]
    run = on_sample(clone, "deploy-partial")
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-4000:]
    assert "compile" not in run.stdout
    after = release(clone)
    assert (after["kind"], after["parent"], after["dirty"]) == ("partial", before["id"], True)
    changed = {name for name, part in after["parts"].items() if part != before["parts"][name]}
    assert changed == {"modules"}
    assert {"Transform", "Trainer"} <= set(tasks(run.stdout, "succeeded"))
    difference = make(clone, "diff", f"A={before['id']}", f"B={after['id']}").stdout
    assert "+# Another comment." in difference and "macro_f1" in difference

    rolled = make(clone, "rollback")
    assert rolled.returncode == 0, rolled.stdout[-3000:] + rolled.stderr[-3000:]
    back = release(clone)
    assert (back["kind"], back["restores"], back["parent"]) == ("rollback", before["id"], after["id"])
    assert back["outcome"]["model"] == before["outcome"]["model"]
    subprocess.run(["git", "checkout", "--", "modules"], cwd=clone, check=True)
    assert plan(clone)["kind"] == "none"


def test_a_changed_pipeline_needs_a_full_deploy(clone: Path, deployed: str) -> None:
    path = clone / "pipeline" / "metrics.py"
    text = path.read_text()
    path.write_text(text + "\n# Changed.\n")
    run = on_sample(clone, "deploy-partial")
    path.write_text(text)
    assert "deploy-partial] Error 14" in run.stderr
    assert "A full deploy is needed: " in run.stderr and "pipeline/metrics.py" in run.stderr


def test_a_model_below_the_gate_is_in_the_history_and_not_served(clone: Path, deployed: str) -> None:
    before = current(clone)
    run = on_sample(clone, "deploy", ESTEIRA_GATE_MACRO_F1="0.99")
    assert "deploy] Error 10" in run.stderr
    assert "The model is not blessed, so it is not served; what was served before still is." in run.stdout
    assert re.search(r"macro_f1 is 0\.\d{3}, expected ≥ 0\.990 \(baseline", run.stdout)
    assert current(clone) == before
    assert newest(clone)["outcome"]["blessed"] is False
    assert make(clone, "-s", "status", "FORMAT=word").stdout == "not blessed\n"


@pytest.mark.parametrize(
    ("step", "changed"),
    [
        ("smoke", {"ESTEIRA_SERVING_MAX_BATCH": "104"}),
        # Of a full build.
        ("compile", {"ESTEIRA_GATE_MACRO_F1": "0.39"}),
        ("sync", {"ESTEIRA_GATE_MACRO_F1": "0.38"}),
        ("release", {"ESTEIRA_GATE_MACRO_F1": "0.37"}),
    ],
)
def test_a_deploy_killed_between_two_steps_leaves_current_and_is_gone_on_with(
    clone: Path, deployed: str, step: str, changed: Dict[str, str]
) -> None:
    before = current(clone)
    kill_after(clone, step, changed)
    assert current(clone) == before
    run = on_sample(clone, "deploy", **changed)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    assert release(clone)["parent"] == before
    assert plan(clone, **changed)["kind"] == "none"


def test_what_a_killed_deploy_has_trained_is_not_trained_again(clone: Path, deployed: str) -> None:
    before = current(clone)
    with (clone / "modules" / "text.py").open("a") as stream:
        stream.write("\n# One more comment.\n")
    kill_after(clone, "run", {})
    assert current(clone) == before
    run = on_sample(clone, "deploy")
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    assert {"Transform", "Trainer"} <= set(tasks(run.stdout, "cached"))
    assert release(clone)["parts"]["modules"] != release(clone, before)["parts"]["modules"]
    subprocess.run(["git", "checkout", "--", "modules"], cwd=clone, check=True)


def test_a_deploy_killed_after_its_last_step_has_deployed(clone: Path, deployed: str) -> None:
    before, changed = current(clone), {"ESTEIRA_SERVING_MAX_BATCH": "105"}
    kill_after(clone, "promote", changed)
    assert release(clone)["parent"] == before
    assert "Nothing to deploy" in on_sample(clone, "deploy", **changed).stdout


def kill_after(clone: Path, step: str, changed: Dict[str, str]) -> None:
    """Start a deploy and kill it, as kill -9 does, when a step has ended and the next one begins."""
    process = subprocess.Popen(
        [str(VENV / "bin" / "python"), "-u", "-m", "invoke", "deploy"],
        cwd=clone,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={
            **os.environ,
            **changed,
            "ESTEIRA_DATA_FILE": "sample.csv",
            "ESTEIRA_TRAINING_EPOCHS": "3",
            "ESTEIRA_DATA_SOURCE_COLUMN": "source",
        },
    )
    assert process.stdout is not None
    assert any(line.startswith(f"✓ {step}: succeeded") for line in process.stdout), f"{step} did not end"
    process.kill()
    process.wait(60)


def test_a_collection_keeps_what_is_served(clone: Path, deployed: str) -> None:
    count = len(json.loads(make(clone, "-s", "releases", "FORMAT=json").stdout))
    assert count > 2
    shown = make(clone, "gc", "KEEP=1")
    assert "Nothing was removed. To remove it: make gc KEEP=1 YES=1" in shown.stdout
    assert len(json.loads(make(clone, "-s", "releases", "FORMAT=json").stdout)) == count
    assert make(clone, "gc", "KEEP=1", "YES=1").returncode == 0
    assert len(json.loads(make(clone, "-s", "releases", "FORMAT=json").stdout)) < count
    assert make(clone, "predict", "TEXT=I love it").returncode == 0
    lineage = make(clone, "lineage")
    assert current(clone) in lineage.stdout and "sample" not in lineage.stderr


def test_a_portuguese_csv_deploys_with_only_its_columns_set(clone: Path, deployed: str) -> None:
    run = make(clone, "deploy-full", f"DATA={HEADLINES}", "EPOCHS=8", "STATE=portuguese state", **COLUMNS)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-4000:]
    text = "TEXT=Acordo de paz é celebrado com emoção"
    answer = make(clone, "predict", text, "FORMAT=table", "STATE=portuguese state")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[0].split()[3:] == ["negativo", "neutro", "positivo"]
