"""A change of the engine has to be told in changes/."""

from pathlib import Path

import pytest

from esteira.errors import SourceError
from esteira.version.fragments import check_fragments
from tests.repositories import commit_all, run_git, write
from tests.version.engine import make_engine

pytestmark = pytest.mark.programs


@pytest.fixture
def branch(tmp_path: Path) -> Path:
    root = make_engine(tmp_path / "engine")
    run_git(root, "checkout", "--quiet", "-b", "change")
    return root


def test_an_engine_that_differs_untold_is_an_error_that_says_what_to_write(branch: Path) -> None:
    write(branch / "esteira" / "plan.py", "changed\n")
    commit_all(branch)
    with pytest.raises(SourceError) as caught:
        check_fragments(branch, "main")
    assert str(caught.value) == (
        "esteira/plan.py: changes the engine, and no file in changes/ tells of it.\n"
        "Expected a sentence for those who use it, in a file such as changes/+short-name.fixed.md"
        " (added, changed, removed, fixed, security). changes/README.md tells more."
    )


def test_a_fragment_tells_of_it_before_it_is_committed_too(branch: Path) -> None:
    write(branch / "esteira" / "plan.py", "changed\n")
    write(branch / "changes" / "+plan.fixed.md", "A plan.\n")
    start = run_git(branch, "rev-parse", "--short=12", "main")
    expected = f"1 files of the engine differ from {start}, and changes/ tells of it"
    assert check_fragments(branch, "main") == expected
    commit_all(branch)
    assert check_fragments(branch, "") == expected


def test_what_a_fork_edits_needs_none(branch: Path) -> None:
    write(branch / "pipeline" / "pipeline.py", "changed\n")
    write(branch / "esteira.toml", "changed\n")
    commit_all(branch)
    assert check_fragments(branch, "main").startswith("0 files of the engine differ from ")


def test_what_main_got_since_is_not_taken_for_a_change_of_the_branch(branch: Path) -> None:
    run_git(branch, "checkout", "--quiet", "main")
    write(branch / "esteira" / "plan.py", "changed\n")
    commit_all(branch)
    run_git(branch, "checkout", "--quiet", "change")
    assert check_fragments(branch, "main").startswith("0 files")


def test_a_base_that_names_no_commit_is_told(branch: Path) -> None:
    with pytest.raises(SourceError) as caught:
        check_fragments(branch, "nothing")
    assert str(caught.value) == (
        "BASE=nothing: shares no commit with HEAD. Expected a hash, a branch or a tag, such as BASE=HEAD~1.\n"
        "A shallow clone has few of them: git fetch --unshallow"
    )


@pytest.mark.parametrize("name", ["plan.fixed.md", "+plan.md", "+plan.misc.md", "+Plan.fixed.md", "+plan.fixed.txt"])
def test_a_fragment_of_another_name_is_refused_as_it_would_never_be_printed(branch: Path, name: str) -> None:
    write(branch / "changes" / name, "A plan.\n")
    with pytest.raises(SourceError) as caught:
        check_fragments(branch, "main")
    assert str(caught.value).startswith(f"changes/{name}: is not named as a fragment is. Expected changes/+short-name.")
