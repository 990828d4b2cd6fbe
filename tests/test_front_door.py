"""What a user sees who types make: help, settings, and clear errors that leave nothing behind."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from esteira.settings import Environment
from tests.bucket_server import bucket_server, environment
from tests.conftest import REPOSITORY
from tests.make import VENV, make

__all__ = ["bucket_server", "environment"]

pytestmark = pytest.mark.programs
HEAVY = ("tensorflow", "tfx", "apache_beam", "kfp", "numpy", "grpc", "pkg_resources")
# google.cloud itself is there in every process: a package of nothing but others.
CLIENTS = ("google.cloud.", "google.api_core", "google.resumable_media", "googleapiclient", "apitools")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of the repository, changed ones too, in a folder with a space; no git history."""
    root = tmp_path / "a clone"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, root / name)
    return root


def test_make_alone_prints_every_target_in_groups(clone: Path) -> None:
    shown = make(clone).stdout
    documented = set(re.findall(r"^  make ([a-z-]+) ", shown, re.MULTILINE))
    phony = re.search(r"\.PHONY: ((?:.*\\\n)*.*)", (REPOSITORY / "Makefile").read_text())
    assert phony
    assert documented == set(phony.group(1).replace("\\\n", " ").split())
    groups = ["Deploy", "Google Cloud", "Releases", "Use", "Request log", "Model and data", "Images", "Repository"]
    assert re.findall(r"^[A-Z].*$", shown, re.MULTILINE) == [*groups, "Develop"]


def test_make_alone_sets_nothing_up(clone: Path) -> None:
    before = sorted(clone.iterdir())
    assert subprocess.run(["make"], cwd=clone, capture_output=True).returncode == 0
    assert sorted(clone.iterdir()) == before


@pytest.mark.parametrize("task", ["settings", "generate", "--list", "plan", "releases", "status"])
def test_what_only_plans_or_renders_imports_nothing_heavy(clone: Path, task: str) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=clone, check=True)
    imported = modules_of(clone, task)
    assert "esteira.edge" in imported
    assert not {name for name in imported if name.startswith((*HEAVY, *CLIENTS))}


@pytest.mark.loopback
@pytest.mark.parametrize("task", ["plan", "releases"])
def test_google_cloud_is_asked_without_its_client_libraries(clone: Path, environment: Environment, task: str) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=clone, check=True)
    keys = ("project", "region", "bucket", "repository")
    section = "".join(f'{key} = "{getattr(environment, key)}"\n' for key in keys)
    with (clone / "esteira.toml").open("a") as settings:
        settings.write(f"[environments.dev]\n{section}")
    imported = modules_of(clone, task, ESTEIRA_ENV="dev")
    assert "esteira.release.store.cloud" in imported
    assert not {name for name in imported if name.startswith((*HEAVY, *CLIENTS))}


def modules_of(clone: Path, task: str, **variables: str) -> "set[str]":
    """Return what a task imports."""
    command = [str(VENV / "bin" / "python"), "-X", "importtime", "-m", "invoke", task]
    environ = {**os.environ, **variables}
    run = subprocess.run(command, cwd=clone, env=environ, capture_output=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr[-2000:]
    return {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}


def test_a_variable_that_does_not_exist_is_told(clone: Path) -> None:
    run = make(clone, "deploy-full", "DAT=my.csv")
    assert run.returncode == 2
    assert "DAT: no such variable. Known: A ACCEPT B DATA ENV" in run.stderr


def test_a_variable_reaches_the_settings_as_it_was_typed(clone: Path) -> None:
    run = make(clone, "settings", 'STATE=/tmp/$HOME it\'s "here"')
    assert 'its files under /tmp/$HOME it\'s "here"/bucket/sentiment' in run.stdout, run.stderr


def test_a_variable_of_the_shell_is_not_taken_for_one_of_ours(clone: Path) -> None:
    assert "environment local" in make(clone, "settings", ENV="elsewhere").stdout


@pytest.mark.parametrize(
    ("arguments", "toml", "code", "message"),
    [
        (["DATA=none.csv"], "", 5, "data.file: none.csv: no such file. Expected the path of a CSV"),
        (["ENV=dve"], "", 3, "ENV=dve: no such environment; there are: local"),
        ([], "[training]\nepoch = 1\n", 3, "esteira.toml: training.epoch: unknown key. Perhaps you meant epochs."),
        ([], "[training\n", 3, "esteira.toml: is not TOML: "),
        (["EPOCHS=few"], "", 3, "ESTEIRA_TRAINING_EPOCHS: value is not a valid integer"),
    ],
)
def test_bad_input_is_told_and_leaves_nothing(
    clone: Path, arguments: "list[str]", toml: str, code: int, message: str
) -> None:
    if toml:
        (clone / "esteira.toml").write_text(toml)
    run = make(clone, "deploy-full", *arguments)
    assert message in run.stderr
    assert f"Error {code}" in run.stderr
    assert "Traceback" not in run.stderr
    assert not (clone / ".esteira").exists()


def test_a_template_with_an_undefined_name_is_told_with_its_line(clone: Path) -> None:
    template = clone / "cloudbuild" / "full.yaml.j2"
    before = (clone / "cloudbuild" / "full.yaml").read_text()
    template.write_text(template.read_text() + "{{ nothing_of_the_kind }}\n")
    run = make(clone, "generate")
    assert "Error 6" in run.stderr
    assert "full.yaml.j2" in run.stderr and "nothing_of_the_kind" in run.stderr
    assert (clone / "cloudbuild" / "full.yaml").read_text() == before


def test_nothing_deployed_says_what_to_type(clone: Path) -> None:
    for target in (["serve"], ["predict", "TEXT=a"]):
        run = make(clone, *target, "PORT=1")
        assert "local: nothing is deployed yet. Run: make deploy-full" in run.stderr


def test_predict_without_a_text_says_what_to_type(clone: Path) -> None:
    run = make(clone, "predict")
    assert "TEXT is missing. Expected, for example: make predict TEXT=" in run.stderr


def test_clean_removes_the_state_and_nothing_else(clone: Path) -> None:
    (clone / ".esteira" / "bucket").mkdir(parents=True)
    (clone / "build").mkdir()
    before = sorted(clone.iterdir())
    run = make(clone, "clean")
    assert run.stdout.count("removed ") == 2
    assert set(before) - set(clone.iterdir()) == {clone / ".esteira", clone / "build"}
