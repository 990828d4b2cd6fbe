"""A version of the engine is made, with the real git and towncrier."""

import os
from pathlib import Path
from typing import Callable, List

import pytest

from esteira.errors import EsteiraError, SettingsError, SourceError
from esteira.version.changelog import show_changelog
from esteira.version.make_version import make_version
from esteira.version.number import parse_version
from tests.repositories import commit_all, run_git, write
from tests.version.engine import make_engine

pytestmark = pytest.mark.programs
OWN = parse_version("0.1.0")


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """An engine with two fragments."""
    root = make_engine(tmp_path / "engine")
    write(root / "changes" / "+plan.added.md", "A plan that tells why.\n")
    write(root / "changes" / "7.fixed.md", "A plan of nothing is told as such.\n")
    commit_all(root, "fragments")
    return root


def made(root: Path, version: str = "0.2.0") -> List[str]:
    told: List[str] = []
    make_version(root, OWN, parse_version(version), told.append)
    return told


def test_a_version_is_a_number_a_section_a_commit_and_a_tag(engine: Path) -> None:
    assert made(engine) == [
        "made version 0.2.0: a commit, and the tag v0.2.0. Nothing was pushed.",
        "Run: git push origin main v0.2.0",
    ]
    assert run_git(engine, "status", "--porcelain") == ""
    assert run_git(engine, "log", "-1", "--format=%s") == "Version 0.2.0"
    assert run_git(engine, "rev-parse", "v0.2.0^{commit}") == run_git(engine, "rev-parse", "HEAD")
    assert '__version__ = "0.2.0"' in (engine / "esteira" / "__init__.py").read_text()
    section = "### Added\n\n- A plan that tells why.\n\n### Fixed\n\n- A plan of nothing is told as such. (#7)"
    assert show_changelog(engine, parse_version("0.2.0")) == section
    assert run_git(engine, "tag", "--list", "--format=%(contents)", "v0.2.0") == f"Version 0.2.0\n\n{section}"
    assert [path.name for path in (engine / "changes").iterdir()] == ["README.md"]
    assert show_changelog(engine, parse_version("0.1.0")) == "### Added\n\n- A plan."


def test_what_the_next_version_brings_is_shown_and_nothing_changes(engine: Path) -> None:
    shown = show_changelog(engine, None)
    assert "### Added\n\n- A plan that tells why." in shown
    assert run_git(engine, "status", "--porcelain") == ""


def test_a_version_that_changelog_does_not_tell_of_is_an_error(engine: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        show_changelog(engine, parse_version("0.3.0"))
    assert str(caught.value) == "VERSION=0.3.0: CHANGELOG.md tells of no such version. Expected one of: 0.1.0"


def test_a_section_that_is_no_version_s_is_passed_over(engine: Path) -> None:
    with (engine / "CHANGELOG.md").open("a") as changes:
        changes.write("\n## Ours\n\n- A change of ours.\n\n## Later")
    assert show_changelog(engine, OWN) == "### Added\n\n- A plan."


def test_a_changelog_without_versions_is_told(engine: Path) -> None:
    write(engine / "CHANGELOG.md", "# Changes\n")
    with pytest.raises(SettingsError) as caught:
        show_changelog(engine, OWN)
    assert str(caught.value) == (
        "VERSION=0.1.0: CHANGELOG.md tells of no such version. It tells of none yet. Run: make changelog"
    )


def on_a_branch(root: Path) -> None:
    run_git(root, "checkout", "--quiet", "-b", "other")


def tagged(root: Path) -> None:
    run_git(root, "tag", "v0.2.0")


def without_fragments(root: Path) -> None:
    run_git(root, "rm", "--quiet", "changes/+plan.added.md", "changes/7.fixed.md")
    commit_all(root)


def with_a_new_fragment(root: Path) -> None:
    write(root / "changes" / "+other.added.md", "Other.\n")


def changed(root: Path) -> None:
    write(root / "esteira.toml", "x\n")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (on_a_branch, "HEAD is other. A version is made of main: git checkout main"),
        (tagged, "v0.2.0: there is such a tag already. Expected a version that nobody has"),
        (
            without_fragments,
            "changes/: no file tells what is new. Expected one as changes/README.md describes",
        ),
        (with_a_new_fragment, "changes/+other.added.md: is not committed. Run: git add changes && git commit"),
        (
            changed,
            "esteira.toml: changed, and not committed.\n"
            "Expected a clean working tree. Run: git commit --all   or: git stash",
        ),
    ],
)
def test_no_version_is_made_where_it_would_be_another_than_is_meant(
    engine: Path, prepare: Callable[[Path], None], message: str
) -> None:
    prepare(engine)
    before = run_git(engine, "rev-parse", "HEAD"), run_git(engine, "status", "--porcelain")
    with pytest.raises(SourceError) as caught:
        made(engine)
    assert str(caught.value) == message
    assert (run_git(engine, "rev-parse", "HEAD"), run_git(engine, "status", "--porcelain")) == before


def test_an_older_version_is_refused(engine: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        made(engine, "0.1.0")
    assert str(caught.value) == "VERSION=0.1.0: this is 0.1.0 already. Expected a newer version"


def test_the_first_version_is_the_one_that_the_engine_has(engine: Path) -> None:
    run_git(engine, "tag", "--delete", "v0.1.0")
    write(engine / "CHANGELOG.md", "# Changes\n\n<!-- versions -->\n")
    commit_all(engine)
    assert made(engine, "0.1.0")[1] == "Run: git push origin main v0.1.0"
    assert "- A plan that tells why." in show_changelog(engine, OWN)


def test_a_commit_that_a_hook_refuses_leaves_everything_as_it_was(engine: Path) -> None:
    hook = engine / ".git" / "hooks" / "pre-commit"
    write(hook, "#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(EsteiraError):
        made(engine)
    assert run_git(engine, "status", "--porcelain") == ""
    assert run_git(engine, "tag", "--list") == "v0.1.0"
    assert len(list((engine / "changes").iterdir())) == 3


def test_ctrl_c_while_a_hook_runs_leaves_everything_as_it_was(engine: Path) -> None:
    hook = engine / ".git" / "hooks" / "pre-commit"
    write(hook, f"#!/bin/sh\nkill -INT $PPID {os.getpid()}\nexec sleep 1\n")
    hook.chmod(0o755)
    with pytest.raises(KeyboardInterrupt):
        made(engine)
    assert run_git(engine, "status", "--porcelain") == ""
    assert run_git(engine, "tag", "--list") == "v0.1.0"
