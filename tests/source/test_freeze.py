import os
import shutil
from pathlib import Path
from typing import Callable, Dict

import pytest

from esteira.errors import ProgramError, SourceError
from esteira.source import Source, frozen_source, repository_name
from esteira.source.scratch import FOLDER
from tests.repositories import commit_all, make_repository, run_git, write

pytestmark = pytest.mark.programs

Freeze = Callable[..., Source]


def files_of_git(repository: Path) -> Dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (repository / ".git").rglob("*") if path.is_file()}


def test_a_clean_clone_is_its_commit(repository: Path, freeze: Freeze) -> None:
    source = freeze()
    commit = run_git(repository, "rev-parse", "HEAD")
    assert (source.commit, source.short, source.branch) == (commit, commit[:7], "main")
    assert not source.is_dirty
    assert source.describe() == f"commit {commit[:7]} (main)"
    assert repository_name(repository) == "a repo"
    assert source.tree == run_git(repository, "rev-parse", "HEAD^{tree}")
    assert source.files == {"file.txt": "100644 " + run_git(repository, "rev-parse", "HEAD:file.txt")}


def test_changed_new_and_deleted_files_are_counted(repository: Path, freeze: Freeze) -> None:
    write(repository / "new" / "one", "")
    write(repository / "new" / "two", "")
    (repository / "file.txt").unlink()
    source = freeze()
    assert source.describe() == f"the working tree, not a commit: 3 files differ from {source.short} (main)"
    assert sorted(source.files) == ["new/one", "new/two"]


def test_a_dirty_tree_is_what_a_commit_of_it_would_be(repository: Path, freeze: Freeze) -> None:
    write(repository / "deep" / "line\nbreak é", "new")
    write(repository / "staged", "one")
    run_git(repository, "add", "staged")
    write(repository / "staged", "two")
    write(repository / "intended", "text")
    run_git(repository, "add", "--intent-to-add", "intended")
    (repository / "file.txt").chmod(0o755)
    (repository / "link").symlink_to("file.txt")
    tree = freeze().tree
    commit_all(repository)
    assert tree == run_git(repository, "rev-parse", "HEAD^{tree}")


def test_a_file_may_take_the_place_of_a_folder_and_a_folder_that_of_a_file(repository: Path, freeze: Freeze) -> None:
    write(repository / "folder" / "file", "")
    commit_all(repository)
    shutil.rmtree(repository / "folder")
    write(repository / "folder", "now a file")
    (repository / "file.txt").unlink()
    write(repository / "file.txt" / "deep", "now a folder")
    assert sorted(freeze().files) == ["file.txt/deep", "folder"]


def test_a_link_may_take_the_place_of_a_folder(repository: Path, freeze: Freeze) -> None:
    write(repository / "folder" / "file", "")
    commit_all(repository)
    (repository / "folder").rename(repository / "moved")
    (repository / "folder").symlink_to("moved")
    source = freeze()
    assert (sorted(source.files), source.changed) == (["file.txt", "folder", "moved/file"], 3)


def test_a_conflict_over_a_deleted_file_is_frozen_as_it_lies_there(repository: Path, freeze: Freeze) -> None:
    run_git(repository, "checkout", "-q", "-b", "other")
    write(repository / "file.txt", "theirs\n")
    commit_all(repository)
    run_git(repository, "checkout", "-q", "main")
    (repository / "file.txt").unlink()
    commit_all(repository)
    with pytest.raises(Exception, match="merge"):
        run_git(repository, "merge", "other")
    assert list(freeze().files) == ["file.txt"]
    (repository / "file.txt").unlink()
    assert freeze().files == {}


def test_a_conflict_is_frozen_as_it_lies_there(repository: Path, freeze: Freeze) -> None:
    run_git(repository, "checkout", "-q", "-b", "other")
    write(repository / "file.txt", "theirs\n")
    commit_all(repository)
    run_git(repository, "checkout", "-q", "main")
    write(repository / "file.txt", "ours\n")
    commit_all(repository)
    with pytest.raises(Exception, match="merge"):
        run_git(repository, "merge", "other")
    run_git(repository, "rev-parse", "MERGE_HEAD")
    assert freeze().files["file.txt"] == "100644 " + run_git(repository, "hash-object", "file.txt")


def test_a_change_in_the_instant_of_the_commit_is_seen(repository: Path, freeze: Freeze) -> None:
    stamp = (repository / ".git" / "index").stat().st_mtime_ns
    for number, text in enumerate(("1", "2")):
        write(repository / "file.txt", f"committe{text}\n")
        os.utime(repository / "file.txt", ns=(stamp, stamp))
        os.utime(repository / ".git" / "index", ns=(stamp, stamp))
        if not number:
            run_git(repository, "add", "file.txt")
            os.utime(repository / ".git" / "index", ns=(stamp, stamp))
    assert freeze().files["file.txt"] == "100644 " + run_git(repository, "hash-object", "file.txt")


def test_freezing_leaves_the_repository_as_it_was(repository: Path, tmp_path: Path) -> None:
    write(repository / "new", "text")
    before = files_of_git(repository)
    with frozen_source(repository, tmp_path / "state") as source:
        assert source.objects
        assert files_of_git(repository) == before
    assert files_of_git(repository) == before
    assert list((tmp_path / "state" / FOLDER).iterdir()) == []


def test_nothing_is_written_for_a_commit(tmp_path: Path, freeze: Freeze) -> None:
    freeze()
    assert not (tmp_path / "state").exists()


def test_what_a_killed_process_left_is_removed(repository: Path, tmp_path: Path, freeze: Freeze) -> None:
    write(tmp_path / "state" / FOLDER / "left" / "objects", "")
    write(repository / "new", "")
    with frozen_source(repository, tmp_path / "state") as running:
        assert freeze().tree == running.tree
        assert [path for path in (tmp_path / "state" / FOLDER).iterdir()] == [running.objects]


def test_ignored_files_do_not_count(repository: Path, freeze: Freeze) -> None:
    write(repository / ".git" / "info" / "exclude", "*.log\n")
    write(repository / "a.log", "")
    assert not freeze().is_dirty


@pytest.mark.parametrize("tracked", [True, False])
def test_the_data_that_is_trained_on_is_no_source(repository: Path, freeze: Freeze, tracked: bool) -> None:
    data = repository / "my data.csv"
    if tracked:
        write(data, "text,label\n")
        commit_all(repository)
    write(data, "text,label\na,b\n")
    assert freeze().is_dirty
    assert not freeze(without=str(data)).is_dirty
    write(repository / "file.txt", "edited\n")
    source = freeze(without=str(data))
    assert (source.changed, "my data.csv" in source.files) == (1, tracked)


def test_line_ends_that_git_converts_are_no_change(repository: Path, freeze: Freeze) -> None:
    files = freeze().files
    run_git(repository, "config", "core.autocrlf", "true")
    run_git(repository, "config", "core.safecrlf", "true")
    (repository / "file.txt").write_bytes(b"committed\r\n")
    assert (freeze().files, freeze().is_dirty) == (files, False)


def test_a_worktree_and_a_folder_behind_a_link_give_the_same(repository: Path, tmp_path: Path, freeze: Freeze) -> None:
    run_git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))
    (tmp_path / "link").symlink_to(repository)
    roots = [repository, tmp_path / "tree", tmp_path / "link"]
    for text in ("committed\n", "edited\n"):
        for root in roots:
            write(root / "file.txt", text)
        assert len({freeze(root).tree for root in roots}) == 1
    write(repository / "d.csv", "")
    assert freeze(tmp_path / "link", without=str(tmp_path / "link" / "d.csv")).tree == freeze(tmp_path / "tree").tree


def test_a_state_folder_in_the_repository_is_no_part_of_the_source(repository: Path) -> None:
    write(repository / "state" / "digests.json", "{}")
    with frozen_source(repository, repository / "state") as source:
        assert not source.is_dirty
    write(repository / "new", "")
    with frozen_source(repository, repository / "state") as source:
        assert sorted(source.files) == ["file.txt", "new"]


def test_a_folder_of_a_bigger_repository_has_a_tree_of_its_own(repository: Path, freeze: Freeze) -> None:
    write(repository / "inner" / "a", "a")
    source = freeze(repository / "inner")
    assert (list(source.files), source.changed) == (["a"], 1)
    commit_all(repository)
    write(repository / "outside", "")
    assert (freeze(repository / "inner").tree, freeze(repository / "inner").is_dirty) == (source.tree, False)
    write(repository / "inner" / "data.csv", "")
    assert not freeze(repository / "inner", without=str(repository / "inner" / "data.csv")).is_dirty


def test_submodules_and_repositories_inside_are_told(repository: Path, freeze: Freeze) -> None:
    run_git(repository, "init", "-q", "nested")
    write(repository / "nested" / "file", "")
    source = freeze()
    assert (source.submodules, source.changed) == (["nested"], 1)


def test_a_detached_head_has_no_branch(repository: Path, freeze: Freeze) -> None:
    run_git(repository, "checkout", "-q", "--detach")
    source = freeze()
    assert (source.branch, source.describe()) == ("", f"commit {source.short}")


def test_before_the_first_commit_the_working_tree_is_built(tmp_path: Path, freeze: Freeze) -> None:
    (tmp_path / "new").mkdir()
    run_git(tmp_path / "new", "init", "-q")
    assert freeze(tmp_path / "new").files == {}
    write(tmp_path / "new" / "a", "")
    source = freeze(tmp_path / "new")
    assert (source.commit, source.is_dirty, list(source.files)) == ("", True, ["a"])
    assert source.describe() == "the working tree, 1 file; there is no commit yet"


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://example.test/o/r.git", "r"), ("git@example.test:r", "r"), ("/srv/git/r.git/", "r")],
)
def test_the_repository_is_called_as_its_origin_is(repository: Path, url: str, name: str) -> None:
    run_git(repository, "remote", "add", "origin", url)
    assert repository_name(repository) == name


def test_a_folder_without_a_repository_is_an_error_with_what_to_type(tmp_path: Path, freeze: Freeze) -> None:
    with pytest.raises(SourceError) as caught:
        freeze(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: git finds no working tree here.\n")
    assert str(caught.value).endswith("or run: git init && git add --all && git commit")


def test_a_bare_repository_is_an_error(tmp_path: Path, freeze: Freeze) -> None:
    run_git(tmp_path, "init", "-q", "--bare", "bare")
    with pytest.raises(SourceError, match="git finds no working tree here"):
        freeze(tmp_path / "bare")


def test_where_git_is_missing_it_is_to_be_installed(
    freeze: Freeze, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError, match=r"^git: no such program on the PATH\.\nInstall git"):
        freeze()


def test_a_damaged_index_is_told_in_gits_own_words(repository: Path, freeze: Freeze) -> None:
    (repository / ".git" / "index").write_text("damaged" * 9)
    with pytest.raises(ProgramError, match="fatal: index file corrupt"):
        freeze()


def test_a_repository_of_somebody_else_is_told_with_what_git_says_to_type(
    repository: Path, freeze: Freeze, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Git's own tests have it behave as if the repository were somebody else's.
    different = {**kept, "LC_ALL": "C", "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "HOME": str(repository.parent)}
    monkeypatch.setattr("esteira.git.git_environment", lambda variables, config: {**different, **variables})
    with pytest.raises(ProgramError) as caught:
        freeze()
    assert "fatal: detected dubious ownership in repository at " in str(caught.value)
    assert "git config --global --add safe.directory " in str(caught.value)


@pytest.mark.parametrize("separator", ["\u2028", "\x85"])
def test_the_name_of_a_branch_may_hold_what_unicode_takes_for_the_end_of_a_line(
    repository: Path, freeze: Freeze, separator: str
) -> None:
    run_git(repository, "checkout", "-q", "-b", f"two{separator}lines")
    write(repository / "new", "")
    source = freeze()
    assert (source.branch, sorted(source.files)) == (f"two{separator}lines", ["file.txt", "new"])


def test_the_variables_of_a_git_hook_name_no_other_repository(
    freeze: Freeze, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no index"))
    assert freeze().branch == "main"


def test_a_sparse_checkout_is_its_whole_commit(tmp_path: Path, freeze: Freeze) -> None:
    root = make_repository(tmp_path / "sparse", {"in/a": "", "out/b": "", "c": ""})
    run_git(root, "sparse-checkout", "set", "--sparse-index", "in")
    assert sorted(freeze(root).files) == ["c", "in/a", "out/b"]
    write(root / "in" / "new", "")
    assert sorted(freeze(root).files) == ["c", "in/a", "in/new", "out/b"]
