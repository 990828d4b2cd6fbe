"""A fork takes a newer version of the engine, with the real git."""

import shutil
from pathlib import Path
from typing import List

import pytest

from esteira.errors import ProgramError, SettingsError, SourceError
from esteira.version.number import parse_version
from esteira.version.upgrade import upgrade
from tests.repositories import commit_all, make_repository, run_git, write
from tests.version.engine import FILES, make_engine, publish

pytestmark = pytest.mark.programs
OWN = parse_version("0.1.0")
PLAN = FILES["esteira/plan.py"]


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    root = make_engine(tmp_path / "the engine")
    publish(root, "0.2.0", "esteira/plan.py", PLAN.replace("one", "ONE"), "A faster plan.")
    publish(root, "0.10.0", "esteira/new.py", "new\n", "Something new.")
    return root


@pytest.fixture
def fork(engine: Path, tmp_path: Path) -> Path:
    """A fork at version 0.1.0, with settings, a pipeline and a line of the engine that were edited."""
    root = tmp_path / "a fork"
    run_git(engine, "clone", "--quiet", "--branch", "v0.1.0", str(engine), str(root))
    run_git(root, "checkout", "--quiet", "-b", "main-of-ours")
    return edited(root, engine)


def edited(root: Path, engine: Path) -> Path:
    run_git(root, "config", "user.name", "T")
    run_git(root, "config", "user.email", "t@example.test")
    run_git(root, "remote", "add", "upstream", str(engine))
    write(root / "esteira.toml", '[pipeline]\nname = "headlines"\n')
    write(root / "pipeline" / "pipeline.py", "our graph\n")
    write(root / "esteira" / "plan.py", PLAN.replace("eight", "EIGHT"))
    commit_all(root, "ours")
    return root


def upgraded(root: Path, wanted: str = "") -> List[str]:
    told: List[str] = []
    upgrade(root, OWN, wanted, told.append)
    return told


def test_the_newest_version_is_merged_and_edits_stay(fork: Path) -> None:
    told = upgraded(fork)
    assert told == [
        "From 0.1.0 to 0.10.0:\n\n0.10.0\n\n### Added\n\n- Something new.\n\n0.2.0\n\n### Added\n\n- A faster plan.\n",
        "merged version 0.10.0. What it changes is deployed with: make plan, then make deploy",
    ]
    assert (fork / "esteira" / "plan.py").read_text() == PLAN.replace("one", "ONE").replace("eight", "EIGHT")
    assert (fork / "esteira" / "new.py").read_text() == "new\n"
    assert (fork / "esteira.toml").read_text() == '[pipeline]\nname = "headlines"\n'
    assert '"0.10.0"' in (fork / "esteira" / "__init__.py").read_text()
    assert run_git(fork, "status", "--porcelain") == ""
    assert run_git(fork, "log", "-1", "--format=%s") == "Version 0.10.0 of the engine"


def test_a_version_that_is_named_is_merged_and_no_later_one(fork: Path) -> None:
    upgraded(fork, "0.2.0")
    assert not (fork / "esteira" / "new.py").exists()
    assert '"0.2.0"' in (fork / "esteira" / "__init__.py").read_text()


def test_a_repository_made_from_a_template_keeps_its_edits_too(engine: Path, tmp_path: Path) -> None:
    """It shares no commit with the engine, and is upgraded a second time as any other."""
    root = make_repository(tmp_path / "made from a template", FILES)
    pyproject = run_git(engine, "show", "v0.1.0:pyproject.toml")
    write(root / "pyproject.toml", pyproject + "\n")
    edited(root, engine)
    upgraded(root, "0.2.0")
    assert (root / "esteira" / "plan.py").read_text() == PLAN.replace("one", "ONE").replace("eight", "EIGHT")
    assert (root / "pipeline" / "pipeline.py").read_text() == "our graph\n"
    upgrade(root, parse_version("0.2.0"), "", print)
    assert (root / "esteira" / "new.py").exists()
    assert (root / "esteira.toml").read_text() == '[pipeline]\nname = "headlines"\n'


def test_tags_of_the_fork_are_its_own(fork: Path) -> None:
    run_git(fork, "tag", "--force", "v0.10.0")
    before = run_git(fork, "rev-parse", "v0.10.0")
    upgraded(fork)
    assert run_git(fork, "rev-parse", "v0.10.0") == before
    assert (fork / "esteira" / "new.py").exists()


def test_lines_that_both_changed_are_told_and_can_be_chosen(fork: Path) -> None:
    write(fork / "esteira" / "plan.py", PLAN.replace("one", "our one"))
    commit_all(fork)
    with pytest.raises(SourceError) as caught:
        upgraded(fork)
    assert str(caught.value) == (
        "Version 0.10.0 and this repository both changed the same lines of:\n  esteira/plan.py\n"
        "Choose in each what is to stand there. Then: git add --all && git commit\n"
        "Or go back to what was: git merge --abort"
    )
    with pytest.raises(SourceError) as caught:
        upgraded(fork)
    assert str(caught.value) == (
        "A merge is not finished. Choose in each file that git status names what is to stand there.\n"
        "Then: git add --all && git commit   Or go back to what was: git merge --abort"
    )
    run_git(fork, "merge", "--abort")
    assert (fork / "esteira" / "plan.py").read_text() == PLAN.replace("one", "our one")


def test_a_git_that_else_only_winds_forward_merges(fork: Path) -> None:
    run_git(fork, "config", "merge.ff", "only")
    upgraded(fork)
    assert run_git(fork, "log", "-1", "--format=%s") == "Version 0.10.0 of the engine"


def test_a_file_in_the_way_is_told_and_nothing_is_changed(fork: Path) -> None:
    write(fork / "esteira" / "new.py", "ours, and not committed\n")
    message = refused(fork)
    assert message.startswith("Version 0.10.0 is not merged, and nothing is changed. git ")
    assert "untracked working tree files would be overwritten by merge:\n\testeira/new.py\n" in message
    assert message.endswith("\nMend what git says, then run: make upgrade")
    assert (fork / "esteira" / "new.py").read_text() == "ours, and not committed\n"


def test_a_merge_that_a_hook_refuses_leaves_everything_as_it_was(fork: Path) -> None:
    hook = fork / ".git" / "hooks" / "commit-msg"
    write(hook, "#!/bin/sh\necho not so >&2\nexit 1\n")
    hook.chmod(0o755)
    before = run_git(fork, "rev-parse", "HEAD")
    assert "\nnot so\n" in refused(fork)
    assert (run_git(fork, "rev-parse", "HEAD"), run_git(fork, "status", "--porcelain")) == (before, "")


def test_an_upstream_that_does_not_answer_is_told_with_its_address(fork: Path, tmp_path: Path) -> None:
    run_git(fork, "remote", "set-url", "upstream", str(tmp_path / "nothing"))
    assert refused(fork) == (
        f"upstream does not give the engine's versions: fatal: '{tmp_path}/nothing' does not appear to be a git "
        "repository\nCheck the network, and its address: git remote get-url upstream"
    )


def test_what_is_no_repository_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path}: is in no git repository. Expected a clone: git clone ADDRESS"


def test_without_git_it_is_said_how_to_get_it(fork: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError) as caught:
        upgraded(fork)
    assert str(caught.value) == "git: no such program on the PATH.\nInstall git, version 2.18 or newer."


def refused(root: Path) -> str:
    with pytest.raises(SourceError) as caught:
        upgraded(root)
    return str(caught.value)


def test_the_newest_version_is_said_to_be_the_newest(fork: Path) -> None:
    told: List[str] = []
    before = run_git(fork, "rev-parse", "HEAD")
    upgrade(fork, parse_version("0.10.0"), "", told.append)
    assert told == ["This is 0.10.0, the newest version of the engine."]
    assert run_git(fork, "rev-parse", "HEAD") == before


def test_uncommitted_changes_are_refused_before_anything_is_fetched(fork: Path) -> None:
    write(fork / "esteira.toml", "x\n")
    write(fork / "pipeline" / "pipeline.py", "x\n")
    with pytest.raises(SourceError) as caught:
        upgraded(fork)
    assert str(caught.value) == (
        "esteira.toml and 1 more: changed, and not committed.\n"
        "Expected a clean working tree. Run: git commit --all   or: git stash"
    )
    assert run_git(fork, "for-each-ref", "refs/engine") == ""


def test_without_a_remote_it_is_said_how_one_is_added(fork: Path) -> None:
    run_git(fork, "remote", "remove", "upstream")
    with pytest.raises(SourceError) as caught:
        upgraded(fork)
    assert str(caught.value) == (
        "This repository has no remote named upstream, from which the engine comes.\n"
        "Run: git remote add upstream ADDRESS   with the address of the repository that this one was made from"
    )


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("new", "VERSION=new: is no version. Expected a version such as 0.2.0"),
        ("0.1.0", "VERSION=0.1.0: this is 0.1.0 already. Expected a newer version"),
        ("0.3.0", "VERSION=0.3.0: upstream has no such version. Newer than 0.1.0: 0.2.0, 0.10.0"),
    ],
)
def test_a_version_that_cannot_be_had_is_told(fork: Path, wanted: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        upgraded(fork, wanted)
    assert str(caught.value) == message


def test_another_project_is_not_merged(fork: Path, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other", {"a": "a\n", "CHANGELOG.md": "# Changes\n"})
    run_git(other, "tag", "v1.0.0")
    run_git(fork, "remote", "set-url", "upstream", str(other))
    before = run_git(fork, "rev-parse", "HEAD")
    with pytest.raises(SourceError) as caught:
        upgraded(fork)
    assert str(caught.value).startswith("upstream has no tag v0.1.0, and no commit in common with this repository")
    assert run_git(fork, "rev-parse", "HEAD") == before
    shutil.rmtree(other)
