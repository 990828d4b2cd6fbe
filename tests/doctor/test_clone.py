"""What make doctor finds in a clone."""

import subprocess
from pathlib import Path

import pytest

from esteira.doctor.clone import INSTALL, check_clone, check_git
from esteira.doctor.finding import Finding

pytestmark = pytest.mark.programs
AS = ("-c", "user.name=You", "-c", "user.email=you@localhost", "-c", "protocol.file.allow=always")


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *AS, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, encoding="utf-8").stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository of two commits."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for text in ("one", "two"):
        (folder / "file").write_text(text)
        git(folder, "add", "file")
        git(folder, "commit", "--quiet", "--message", text)
    return folder


def test_a_clean_clone_is_told_with_its_commit(origin: Path) -> None:
    commit = git(origin, "rev-parse", "HEAD")[:7]
    assert list(check_clone(origin)) == [Finding("clone", True, f"commit {commit}")]
    (origin / "file").write_text("three")
    said = f"commit {commit}, and 1 file that differs from it"
    assert list(check_clone(origin)) == [Finding("clone", True, said)]


def test_a_shallow_clone_is_told_with_the_way_to_the_whole_history(origin: Path) -> None:
    git(origin.parent, "clone", "--quiet", "--depth=1", f"file://{origin}", "shallow")
    remedy = "Only the order of commits is harder to tell. Run: git fetch --unshallow"
    assert list(check_clone(origin.parent / "shallow"))[1:] == [
        Finding("history", None, "is cut off: this is a shallow clone", remedy)
    ]


def test_a_submodule_that_is_not_checked_out_is_told(origin: Path) -> None:
    git(origin, "submodule", "--quiet", "add", f"file://{origin}", "inner")
    git(origin, "commit", "--quiet", "--message", "a submodule")
    git(origin.parent, "clone", "--quiet", str(origin), "clone")
    assert list(check_clone(origin.parent / "clone"))[1:] == [
        Finding("submodule", None, "inner is not checked out", "Run: git submodule update --init")
    ]


def test_no_repository_is_told_with_what_makes_one(tmp_path: Path) -> None:
    assert list(check_clone(tmp_path)) == [
        Finding(
            "clone",
            False,
            "is in no git repository",
            "Clone the repository, or run: git init && git add --all && git commit",
        )
    ]


def test_no_git_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(check_clone(tmp_path)) == []
    assert list(check_git({"PATH": str(tmp_path)})) == [
        Finding("git", False, "git: no such program on the PATH.", INSTALL)
    ]
