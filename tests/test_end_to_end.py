"""From a clone to a prediction: what a user types, on a sample of the real data."""

import csv
import json
import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Iterator, List

import pytest

from tests.conftest import REPOSITORY
from tests.make import VENV, make

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]
SAMPLE_ROWS = {"train": 1500, "eval": 600}
HEADLINES = REPOSITORY / "tests" / "data" / "manchetes.csv"
COLUMNS = {"ESTEIRA_DATA_TEXT_COLUMN": "titulo", "ESTEIRA_DATA_LABEL_COLUMN": "sentimento"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone, in a folder with a space in its name."""
    root = tmp_path_factory.mktemp("end to end") / "a clone"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(root)], check=True)
    return root


@pytest.fixture(scope="module")
def sample(clone: Path) -> Path:
    """A CSV with the first rows of the default data, which is fetched and prepared for it."""
    prepared = make(clone, "data")
    assert prepared.returncode == 0, prepared.stderr
    path = clone / "sample.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "source"])
        for split, count in SAMPLE_ROWS.items():
            writer.writerows(
                list(csv.reader((clone / "build" / "data" / split / f"{split}.csv").open()))[1 : count + 1]
            )
    return path


@pytest.fixture(scope="module")
def deployed(clone: Path, sample: Path) -> str:
    """What a full deploy of the sample printed."""
    run = make(clone, "deploy-full", f"DATA={sample.name}", "EPOCHS=3", ESTEIRA_DATA_SOURCE_COLUMN="source")
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-4000:]
    return run.stdout


def current(clone: Path) -> str:
    return (clone / ".esteira" / "bucket" / "sentiment" / "current").read_text().strip()


def tasks(output: str, state: str) -> List[str]:
    return re.findall(rf"^run: . (\S+): {state} ", output, re.MULTILINE)


def test_a_clone_becomes_a_served_model(clone: Path, deployed: str) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, capture_output=True, encoding="utf-8").stdout
    assert f"Deployed release {current(clone)} to local" in " ".join(deployed.split())
    assert re.search(r"macro_f1 +0\.\d+ +≥ 0\.\d+", deployed)
    assert "✓ probabilities as at training" in deployed
    release = json.loads((clone / ".esteira/bucket/sentiment/releases" / current(clone) / "release.json").read_text())
    # The data lies in the clone, untracked: it is named by its content and makes no source dirty.
    assert release["commit"] == commit.strip()
    summary = deployed.partition("Deployed release")[2]
    assert summary.count("\n  make ") == 3
    for place in re.findall(r"^(?:model|release|logs) +(.*)$", summary, re.MULTILINE):
        assert Path(place).exists()


def test_predict_answers_with_label_confidence_and_probabilities(clone: Path, deployed: str) -> None:
    run = make(clone, "predict", 'TEXT=A "great" film & I loved it')
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


def test_the_same_again_trains_nothing(clone: Path, sample: Path, deployed: str) -> None:
    before = current(clone)
    run = make(clone, "deploy-full", f"DATA={sample.name}", "EPOCHS=3", ESTEIRA_DATA_SOURCE_COLUMN="source")
    assert run.returncode == 0, run.stderr
    # The Evaluator runs once more: there is a baseline now.
    assert {"CsvExampleGen", "StatisticsGen", "Transform", "Trainer"} <= set(tasks(run.stdout, "cached"))
    assert re.search(r"macro_f1 +0\.\d+ +≥ 0\.\d+, Δ ≥ -0\.010 +0\.\d+", run.stdout)
    assert current(clone) == before


def test_a_model_below_the_gate_is_not_served(clone: Path, sample: Path, deployed: str) -> None:
    before = current(clone)
    run = make(
        clone,
        *("deploy-full", f"DATA={sample.name}", "EPOCHS=3"),
        ESTEIRA_DATA_SOURCE_COLUMN="source",
        ESTEIRA_GATE_MACRO_F1="0.99",
    )
    assert "deploy-full] Error 10" in run.stderr
    assert "The model is not blessed, so it is not served; what was served before still is." in run.stdout
    assert re.search(r"macro_f1 is 0\.\d{3}, expected ≥ 0\.990 \(baseline", run.stdout)
    assert current(clone) == before


def test_a_portuguese_csv_deploys_with_only_its_columns_set(clone: Path, deployed: str) -> None:
    run = make(clone, "deploy-full", f"DATA={HEADLINES}", "EPOCHS=8", "STATE=portuguese state", **COLUMNS)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-4000:]
    answer = make(clone, "predict", "TEXT=Acordo de paz é celebrado com emoção", "STATE=portuguese state")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[0].split()[3:] == ["negativo", "neutro", "positivo"]
