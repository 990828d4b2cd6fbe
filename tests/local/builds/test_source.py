from pathlib import Path

import pytest

from esteira.errors import BuildError
from esteira.local.builds.source import read_source, unquote
from tests.local.builds.conftest import run_git

pytestmark = pytest.mark.programs


def test_a_clean_clone_is_its_commit(repository: Path) -> None:
    source = read_source(repository)
    commit = run_git(repository, "rev-parse", "HEAD")
    assert (source.commit, source.short, source.branch) == (commit, commit[:7], "main")
    assert not source.is_dirty
    assert source.describe() == f"commit {commit[:7]} (main)"
    assert source.repository == "a repo"


def test_changed_new_and_deleted_files_are_counted(repository: Path) -> None:
    (repository / "new").mkdir()
    (repository / "new" / "one").write_text("")
    (repository / "new" / "two").write_text("")
    (repository / "file.txt").unlink()
    source = read_source(repository)
    assert source.describe() == f"the working tree, not a commit: 3 files differ from {source.short} (main)"


def test_ignored_files_do_not_count(repository: Path) -> None:
    (repository / ".git" / "info" / "exclude").write_text("*.log\n")
    (repository / "a.log").write_text("")
    assert not read_source(repository).is_dirty


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    run_git(repository, "checkout", "-q", "--detach")
    source = read_source(repository)
    assert (source.branch, source.describe()) == ("", f"commit {source.short}")


def test_before_the_first_commit_the_working_tree_is_built(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("")
    source = read_source(tmp_path)
    assert (source.commit, source.is_dirty) == ("", True)
    assert source.describe() == "the working tree, 1 file; there is no commit yet"


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://example.test/o/r.git", "r"), ("git@example.test:r", "r"), ("/srv/git/r.git/", "r")],
)
def test_the_repository_is_called_as_its_origin_is(repository: Path, url: str, name: str) -> None:
    run_git(repository, "remote", "add", "origin", url)
    assert read_source(repository).repository == name


def test_a_folder_without_a_repository_is_an_error_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        read_source(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: git finds no repository here.\n")
    assert str(caught.value).endswith("or run: git init && git add --all && git commit")


def test_the_variables_of_a_git_hook_name_no_other_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no index"))
    assert read_source(repository).branch == "main"


@pytest.mark.parametrize(
    ("quoted", "path"),
    [
        ("plain é", "plain é"),
        (r'"caf\303\251"', "café"),
        (r'"a\nb\r\t\"c\\"', 'a\nb\r\t"c\\'),
        (r'"\377"', "\udcff"),
    ],
)
def test_a_path_is_read_as_git_quotes_it(quoted: str, path: str) -> None:
    assert unquote(quoted) == path
