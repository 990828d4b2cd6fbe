import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

from esteira.images.inside import attempt, importing_from, load_class, named_in
from tests.conftest import REPOSITORY


def run_inside(folder: Path, code: Path) -> "subprocess.CompletedProcess[str]":
    """Run the check as in an image, whose code lies in the folder `code`."""
    environ = {**os.environ, "PYTHONPATH": str(code), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "esteira.images.inside", str(folder)]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, encoding="utf-8")


@pytest.mark.programs
def test_a_pipeline_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    (tmp_path / "esteira").symlink_to(REPOSITORY / "esteira")
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").touch()
    (tmp_path / "pipeline" / "pipeline.py").write_text("import a_module_that_is_not_here\n", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    done = run_inside(tmp_path / "elsewhere", tmp_path)
    assert done.stdout == "✗ pipeline.pipeline: ModuleNotFoundError: No module named 'a_module_that_is_not_here'\n"
    assert done.returncode == 1, done.stderr


@pytest.mark.programs
@pytest.mark.slow
def test_all_that_this_pipelines_job_names_is_told(tmp_path: Path) -> None:
    """In an image the pipeline and the engine lie in one folder, and modules comes from another."""
    for name in ("esteira", "pipeline"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    done = run_inside(REPOSITORY, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["✓ pipeline.pipeline", "✓ the pipeline's job"]
    assert "✓ tfx.orchestration.kubeflow.v2.file_based_example_gen.driver" in lines
    assert "✓ pipeline.report.EvaluationReport_Executor" in lines
    assert all(line.startswith("✓ ") for line in lines)


def test_classes_drivers_and_entry_points_are_found_in_the_job() -> None:
    driver = {"command": ["python", "-m", "json.tool"], "args": ["--json_serialized_invocation_args", "{{$}}"]}
    command = ["python", "-m", "json.decoder"]
    executors: Dict[str, Any] = {
        "one": {"container": {"command": command, "args": ["--executor_class_path", "json.encoder.JSONEncoder"]}},
        "two": {"container": {"command": command, "args": [], "lifecycle": {"preCacheCheck": driver}}},
        "three": {"importer": {}},
    }
    named = dict(named_in({"pipelineSpec": {"deploymentSpec": {"executors": executors}}}))
    assert list(named) == ["json.decoder", "json.tool", "json.encoder.JSONEncoder"]
    assert named["json.encoder.JSONEncoder"]().__name__ == "JSONEncoder"


def test_a_class_that_its_module_lacks_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert not attempt("json.Nothing", lambda: load_class("json.Nothing"))
    assert capsys.readouterr().out == "✗ json.Nothing: AttributeError: module 'json' has no attribute 'Nothing'\n"


def test_what_needs_the_folder_of_modules_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "modules", raising=False)
    before = list(sys.path)
    with importing_from(str(tmp_path)):
        assert sys.path == [*before, str(tmp_path)]
        sys.modules["modules.of_a_test"] = sys
    assert sys.path == before
    assert "modules.of_a_test" not in sys.modules
