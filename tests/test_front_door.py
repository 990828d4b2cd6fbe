"""What a user sees who types make: help, settings, and clear errors that leave nothing behind."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Dict

import pytest

from esteira.settings import Environment
from esteira.variables import VARIABLES
from tests.bucket_server import bucket_server, environment
from tests.conftest import REPOSITORY
from tests.make import VENV, make
from tests.terminal import on_a_terminal

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


GROUPS = ["Deploy", "Use", "Releases", "Request log", "Google Cloud", "Model and data", "Images", "Repository"]


def test_help_all_prints_every_target_in_groups(clone: Path) -> None:
    shown = make(clone, "help-all").stdout
    assert re.findall(r"^  make ([a-z-]+) ", shown, re.MULTILINE) == made_by_rules()
    assert re.findall(r"^[A-Z].*$", shown, re.MULTILINE) == [*GROUPS, "Develop", "Help"]


def made_by_rules() -> "list[str]":
    """Return every target of the Makefile, in order."""
    return re.findall(r"^([a-z][a-z-]*):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_make_alone_prints_the_most_used_targets_on_one_screen(clone: Path) -> None:
    shown = make(clone).stdout
    assert shown.startswith("Usage: make TARGET [VARIABLE=value ...]\n       on this machine, or with ENV=name in")
    assert "\n\nDeploy\n  make deploy-full     Build, train," in shown
    assert len(shown.splitlines()) < 35
    assert "\n  make help-all        Show all targets\n" in shown


def test_help_tells_what_a_target_takes_and_does_not_make_it(clone: Path) -> None:
    before = sorted(clone.iterdir())
    assert make(clone, "help", "gc").stdout == (
        "\n"
        "make gc                Remove what no kept release needs, after showing it (KEEP=10 YES=1)\n"
        "\n"
        "  ENV=dev              The environment that is meant\n"
        "                       local, or a name below [environments] in esteira.toml; "
        "without it: local; of make rehearse dev\n"
        "  KEEP=5               How many releases to keep\n"
        "                       a number from 1 on; without it: 10\n"
        "  YES=1                Do it without asking a person\n"
        "                       1 or 0; without it: 0\n"
        "Like every target it takes STATE, VENV.\n"
    )
    assert "\n                       table or json; without it: table;" in make(clone, "help", "smoke").stdout
    assert "\n                       text, json, markdown or word; without" in make(clone, "help", "status").stdout
    assert make(clone, "clean", "lock", "help", "KEEP").stdout.endswith("of make gc\n")
    assert sorted(clone.iterdir()) == before


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ({"TERM": "dumb", "FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_help_is_coloured_on_a_terminal_that_wants_it(clone: Path, variables: Dict[str, str], coloured: bool) -> None:
    shown = on_a_terminal(["make"], clone, variables)
    assert ("\x1b[1mDeploy\x1b[0m" in shown) is coloured
    assert ("\x1b" in shown) is coloured
    assert "\x1b" not in make(clone, TERM="xterm-256color").stdout


def test_help_is_as_wide_as_the_terminal(clone: Path) -> None:
    shown = on_a_terminal(["make", "help-all"], clone, {"TERM": "dumb"}, columns=60)
    assert max(map(len, shown.split("\r\n"))) <= 60


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


NOTHING_DONE = "*** Nothing was done.  Stop.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["rollback", "EPOCH=3"],
            "EPOCH: no such variable. Perhaps you meant EPOCHS.\nmake rollback takes ENV, RELEASE.\n",
        ),
        (["gc", "keep=3"], "keep: no such variable. Perhaps you meant KEEP.\nmake gc takes ENV, KEEP, YES.\n"),
        (["gc", "X=3"], "X: no such variable.\nmake gc takes ENV, KEEP, YES.\n"),
        (["gc", "N=3"], "N: no such variable. Perhaps you meant LIMIT.\nmake gc takes ENV, KEEP, YES.\n"),
        (["gc", "x'y=3"], "x'y: no such variable.\nmake gc takes ENV, KEEP, YES.\n"),
        (
            ["rollback", "KEEP=3"],
            "KEEP: make rollback does not take it.\nmake rollback takes ENV, RELEASE.\nKEEP is for make gc.\n",
        ),
        (
            ["rollback", "lint", "KEEP=3"],
            "KEEP: none of make rollback, make lint takes it.\nmake rollback takes ENV, RELEASE.\n"
            "make lint takes no other than STATE, VENV.\nKEEP is for make gc.\n",
        ),
        (["KEEP=3"], "KEEP: make help does not take it.\nKEEP is for make gc.\n"),
        (["deploy-ful"], "deploy-ful: no such target. Perhaps you meant make deploy-full. Run: make help\n"),
        (["lint", "tests"], "tests: no such target. Perhaps you meant make test. Run: make help\n"),
        (["train"], "train: no such target. Perhaps you meant make deploy-full. Run: make help\n"),
        (
            ["cloud"],
            "cloud: no such target. Perhaps you meant make cloud-plan, cloud-apply or cloud-destroy. Run: make help\n",
        ),
        (["README.md"], "README.md: no such target. Run: make help\n"),
    ],
)
def test_what_is_typed_wrongly_is_told_before_anything_is_done(clone: Path, arguments: "list[str]", told: str) -> None:
    before = sorted(clone.iterdir())
    run = make(clone, *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(told)
    assert run.stderr.endswith(NOTHING_DONE)
    assert sorted(clone.iterdir()) == before


def test_targets_of_a_fork_s_own_are_made_with_variables_of_their_own(clone: Path) -> None:
    own = "include Makefile\nNAME := nobody\nhello: ## Greet\n\t@echo hello $(NAME)\nA_file.txt:\n\t@touch $@\n"
    (clone / "GNUmakefile").write_text(own)
    assert make(clone, "hello", "NAME=you").stdout == "hello you\n"
    assert make(clone, "A_file.txt").returncode == 0
    assert (clone / "A_file.txt").exists()
    assert make(clone, "help", "hello").stdout.startswith("\nmake hello             Greet\n")
    assert make(clone, "hellow").stderr.startswith("hellow: no such target. Perhaps you meant make hello.")
    assert make(clone, "NAME").stderr.startswith("NAME: no such target.")
    assert make(clone, "gc", "KEP=3").stderr.startswith("KEP: no such variable. Perhaps you meant KEEP.")


def test_a_variable_that_does_not_exist_is_told_with_all_that_do(clone: Path) -> None:
    told, known, _ = make(clone, "XYZ=1").stderr.splitlines()
    assert told == "XYZ: no such variable."
    assert known == f"Known: {', '.join(VARIABLES)}."


def test_a_variable_may_be_of_one_of_several_targets(clone: Path) -> None:
    run = make(clone, "-n", "releases", "gc", "KEEP=3")
    assert (run.returncode, run.stderr) == (0, "")


def test_a_make_within_a_make_takes_variables_of_its_own(clone: Path) -> None:
    python = clone / "inner" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexec make -n rollback RELEASE=abc\n")
    python.chmod(0o755)
    for name in ("requirements.lock", "requirements.wheels"):
        shutil.copy(clone / name, clone / "inner")
    run = subprocess.run(["make", "gc", "KEEP=3", "VENV=inner"], cwd=clone, capture_output=True, encoding="utf-8")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith(" rollback\n")


def test_a_variable_reaches_the_settings_as_it_was_typed(clone: Path) -> None:
    run = make(clone, "settings", 'STATE=/tmp/$HOME it\'s "here"')
    assert 'its files under /tmp/$HOME it\'s "here"/bucket/sentiment' in run.stdout, run.stderr


@pytest.mark.parametrize("typed", ["$(shell touch made)", "$(error made)", "a $(", "${HOME", "`touch made`", "\n#"])
def test_nothing_in_a_variable_is_run_or_expanded(clone: Path, typed: str) -> None:
    run = make(clone, "plan", f"DATA=of {typed}")
    assert run.stderr.startswith(f"data.file: of {typed}: no such file. Expected the path of a CSV")
    assert not (clone / "made").exists()


def test_a_variable_of_the_shell_is_not_taken_for_one_of_ours(clone: Path) -> None:
    assert "environment local" in make(clone, "settings", ENV="elsewhere").stdout


@pytest.mark.parametrize(
    ("arguments", "toml", "code", "message"),
    [
        (["DATA=none.csv"], "", 5, "data.file: none.csv: no such file. Expected the path of a CSV"),
        (["ENV=dve"], "", 3, "ENV=dve: no such environment; there are: local"),
        ([], "[training]\nepoch = 1\n", 3, "esteira.toml: training.epoch: unknown key. Perhaps you meant epochs."),
        ([], "[training\n", 3, "esteira.toml: is not TOML: "),
        (["EPOCHS=few"], "", 3, "EPOCHS=few (ESTEIRA_TRAINING_EPOCHS): expected a whole number"),
        (
            ["ISOLATION=forks"],
            "",
            3,
            "ISOLATION=forks (ESTEIRA_RUN_ISOLATION): expected fork, process or container. Perhaps you meant fork.",
        ),
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
    for target in (["serve", "PORT=1"], ["predict", "TEXT=a"]):
        run = make(clone, *target)
        assert "local: nothing is deployed yet. Run: make deploy-full" in run.stderr


def test_predict_without_a_text_says_what_to_type(clone: Path) -> None:
    run = make(clone, "predict")
    assert "TEXT is missing. Expected, for example: make predict TEXT=" in run.stderr


@pytest.mark.parametrize("target", ["version", "settings"])
def test_a_full_disk_behind_the_output_is_told(clone: Path, target: str) -> None:
    with open("/dev/full", "w") as full:
        command = ["sh", "esteira/setup/run.sh", "-m", "invoke", target]
        environ = {**os.environ, "ESTEIRA_VENV": str(VENV)}
        run = subprocess.run(command, cwd=clone, env=environ, stdout=full, stderr=subprocess.PIPE, encoding="utf-8")
    told = "standard output: cannot write: No space left on device. Free some space, then run it again.\n"
    assert (run.returncode, run.stderr) == (12, told)


def test_a_make_of_another_folder_s_makefile_is_told_what_to_type(clone: Path) -> None:
    (clone / "sub").mkdir()
    run = subprocess.run(["make", "-f", "../Makefile"], cwd=clone / "sub", capture_output=True, encoding="utf-8")
    assert run.stderr.endswith(": *** Makefile: is that of another folder. Run: make -C FOLDER TARGET.  Stop.\n")


def test_clean_removes_the_state_and_nothing_else(clone: Path) -> None:
    (clone / ".esteira" / "bucket").mkdir(parents=True)
    (clone / "build").mkdir()
    before = sorted(clone.iterdir())
    run = make(clone, "clean")
    assert run.stdout.count("removed ") == 2
    assert set(before) - set(clone.iterdir()) == {clone / ".esteira", clone / "build"}
