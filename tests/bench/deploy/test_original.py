"""The original's two Cloud Build files, step by step."""

from typing import Any, Dict, List

import pytest

from bench.deploy.original import steps_of

COPIES = ["Copy Modules", "Copy Data", "Copy Hyperparameter"]


def steps(kind: str) -> List[Dict[str, Any]]:
    return steps_of(kind, "file:///a/original", ["gsutil", "-o", "place"], "sentiment")


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        ("full", ["Compile Pipeline", "Create Pipeline", "Create Pipeline Run"]),
        ("partial", ["Create Pipeline", "Create Pipeline Run"]),
    ],
)
def test_each_step_waits_for_the_one_before(kind: str, after: List[str]) -> None:
    names = ["Clone Repository", *COPIES, *after]
    found = steps(kind)
    assert [step["id"] for step in found] == names
    assert [step.get("waitFor") for step in found] == [None, *([name] for name in names[:-1])]


def test_the_repository_is_cloned_shallowly() -> None:
    assert [steps("full")[0][key] for key in ("entrypoint", "args")] == [
        "git",
        ["clone", "--single-branch", "--branch", "main", "file:///a/original", "--depth", "1", "--verbose"],
    ]


def test_modules_data_and_hyperparameters_are_copied_from_their_folders() -> None:
    found = {step["id"]: (step["dir"], step["args"]) for step in steps("partial") if step["id"] in COPIES}
    head, bucket = ["-o", "place", "cp"], "gs://demo-bucket/original"
    assert found == {
        "Copy Modules": ("original/modules", [*head, "*.py", "*.pkl", f"{bucket}/modules"]),
        "Copy Data": ("original/modules/data", [*head, "*.csv", f"{bucket}/data"]),
        "Copy Hyperparameter": (
            "original/modules/best_hyperparameters",
            [*head, "*.txt", f"{bucket}/best_hyperparameters"],
        ),
    }


@pytest.mark.parametrize(("kind", "flags"), [("full", ["--build-image"]), ("partial", [])])
def test_the_full_file_alone_builds_an_image(kind: str, flags: List[str]) -> None:
    (create,) = (step for step in steps(kind) if step["id"] == "Create Pipeline")
    runner = ["--pipeline-path", "kubeflow_v2_runner.py", "--engine", "vertex"]
    assert create["args"] == ["pipeline", "create", *runner, *flags]
    assert (create["entrypoint"], create["dir"]) == ("tfx", "original/tfx-pipeline")
