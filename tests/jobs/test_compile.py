import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.programs, pytest.mark.slow]
COPIED = ("esteira", "pipeline", "modules", "tasks.py", "esteira.toml")


def copy_repository(folder: Path) -> Path:
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def start_compile(root: Path, **environ: str) -> "subprocess.Popen[str]":
    env: Dict[str, str] = {**os.environ, "ESTEIRA_STATE": str(root / "state"), **environ}
    return subprocess.Popen(
        [sys.executable, "-m", "invoke", "compile"],
        cwd=root,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_the_job_is_the_same_in_any_folder_and_open_to_a_release(tmp_path: Path) -> None:
    one, two = copy_repository(tmp_path / "one"), copy_repository(tmp_path / "another folder" / "two")
    runs = [start_compile(one, PYTHONHASHSEED="1", TZ="UTC"), start_compile(two, PYTHONHASHSEED="2", TZ="Asia/Tokyo")]
    for run in runs:
        output = "".join(run.communicate(timeout=300))
        assert run.returncode == 0, output
    content = (one / "build" / "job.json").read_text()
    assert content == (two / "build" / "job.json").read_text()
    assert str(tmp_path) not in content and str(REPOSITORY) not in content
    spec = json.loads(content)["pipelineSpec"]
    assert {"data_uri", "modules_uri", "hyperparameters_uri"} <= set(spec["root"]["inputDefinitions"]["parameters"])
    images = {e["container"]["image"] for e in spec["deploymentSpec"]["executors"].values() if "container" in e}
    assert images == {"ESTEIRA_IMAGE"}


def test_a_fault_in_the_pipeline_is_told_with_its_line(tmp_path: Path) -> None:
    root = copy_repository(tmp_path)
    (root / "pipeline" / "pipeline.py").write_text("def create_pipeline(settings):\n    return settings.nothing\n")
    run = start_compile(root)
    _, error = run.communicate(timeout=300)
    assert run.returncode == 8
    assert error.splitlines()[-1].startswith("pipeline/pipeline.py:2: AttributeError: ")
    assert "Traceback" not in error
    assert not (root / "build").exists()
