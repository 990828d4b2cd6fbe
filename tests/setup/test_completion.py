"""What a shell completes behind make and inv in a clone, asked of the shells themselves."""

import shutil
import subprocess
from pathlib import Path
from typing import List

import pytest

from tests.conftest import REPOSITORY
from tests.make import VENV
from tests.terminal import on_a_terminal

pytestmark = pytest.mark.programs
COMPLETE = REPOSITORY / "esteira" / "setup" / "complete.sh"


def completed(*words: str, folder: Path = REPOSITORY) -> List[str]:
    """Return what the last word of a line may become."""
    return run(["sh", str(COMPLETE), *words], folder)


def run(command: List[str], folder: Path = REPOSITORY) -> List[str]:
    shown = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=True, timeout=60)
    assert shown.stderr == ""
    return shown.stdout.splitlines()


def test_targets_come_first() -> None:
    assert completed("roll") == ["rollback"]
    assert completed("cloud-") == ["cloud-plan", "cloud-apply", "cloud-destroy"]


def test_behind_a_target_its_variables_come_that_are_not_given_yet() -> None:
    assert completed("gc", "") == ["ENV=", "KEEP=", "YES=", "STATE=", "VENV="]
    assert completed("gc", "KEEP=3", "ENV=dev", "") == ["YES=", "STATE=", "VENV="]
    assert completed("deploy-full", "EP") == ["EPOCHS="]


def test_behind_help_targets_come_again_and_variables_without_a_value() -> None:
    assert completed("help", "roll") == ["rollback"]
    assert completed("help", "gc", "KE") == ["KEEP"]


def test_a_variable_that_is_one_of_a_few_words_becomes_one() -> None:
    assert completed("deploy", "ISOLATION=") == ["ISOLATION=fork", "ISOLATION=process", "ISOLATION=container"]
    assert completed("predict", "FORMAT=c") == ["FORMAT=csv"]
    assert completed("releases", "FORMAT=") == ["FORMAT=table", "FORMAT=json"]


def test_environments_releases_and_files_are_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "esteira" / "setup").mkdir(parents=True)
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    shutil.copy(REPOSITORY / "esteira" / "setup" / "variables.mk", tmp_path / "esteira" / "setup")
    (tmp_path / "esteira.toml").write_text('[environments.dev]\nproject = "p"\n[environments.prod]\nproject = "q"\n')
    for name in ("5fd1a6b2c3d4", "60aa00000000"):
        (tmp_path / "a state" / "bucket" / "sentiment" / "releases" / name).mkdir(parents=True)
    (tmp_path / "texts").mkdir()
    (tmp_path / "truths.csv").write_text("")
    assert completed("deploy", "ENV=", folder=tmp_path) == ["ENV=local", "ENV=dev", "ENV=prod"]
    assert completed("show", "STATE=a state", "RELEASE=5", folder=tmp_path) == ["RELEASE=5fd1a6b2c3d4"]
    assert completed("predict", "FILE=t", folder=tmp_path) == ["FILE=texts/", "FILE=truths.csv"]


def test_elsewhere_nothing_comes(tmp_path: Path) -> None:
    assert completed("roll", folder=tmp_path) == []


BASH = """
eval "$(make -s completion VENV=%s)"
line=$1; COMP_LINE=$line; COMP_POINT=${#line}; COMP_WORDS=($line)
%s
printf '%%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("make rollb", ["rollback"]),
        ("make gc KEEP=3 ", ["ENV=", "YES=", "STATE=", "VENV="]),
        # bash takes what stands behind "=" for a word of its own.
        ("make deploy ISOLATION=p", ["process"]),
    ],
)
def test_bash_completes_make(line: str, found: List[str]) -> None:
    script = BASH % (VENV, "_esteira_make make 2>/dev/null")
    assert run(["bash", "--norc", "-c", script, "bash", line]) == found


def test_bash_quotes_a_file_s_name(tmp_path: Path) -> None:
    (tmp_path / "two words.csv").write_text("")
    (tmp_path / "esteira" / "setup").mkdir(parents=True)
    (tmp_path / "esteira" / "setup" / "variables.mk").write_text("")
    lines = "\n".join(run(["make", "-s", "completion", f"VENV={VENV}"]))
    (tmp_path / "rc").write_text(f"{lines}\nmake() {{ printf '<%s>' \"$@\"; }}\n")
    command = ["bash", "--rcfile", "rc", "-i"]
    shown = on_a_terminal(command, tmp_path, {"TERM": "dumb"}, typed="make predict FILE=tw\t\nexit\n")
    assert "<predict><FILE=two words.csv>" in shown


def test_bash_completes_the_tasks_of_invoke() -> None:
    script = BASH % (VENV, "_complete_invoke inv deploy-f")
    assert run(["bash", "--norc", "-c", script, "bash", f"{VENV}/bin/inv deploy-f"]) == ["deploy-full"]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("make rollb", ["rollback"]),
        ("make deploy ISOLATION=p", ["ISOLATION=process"]),
        (f"{VENV}/bin/inv deploy-f", ["deploy-full"]),
    ],
)
def test_fish_completes_both(line: str, found: List[str]) -> None:
    script = f"make -s completion-fish | source; complete -C '{line}'"
    assert run(["fish", "--no-config", "-c", script]) == found


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_takes_the_lines_too() -> None:
    script = f'eval "$(make -s completion VENV={VENV})"; whence -w _esteira_make _complete_invoke; echo $_comps[make]'
    functions = ["_esteira_make: function", "_complete_invoke: function"]
    assert run(["zsh", "-f", "-c", script]) == [*functions, "_esteira_make"]
