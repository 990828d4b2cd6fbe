import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.release import ancestry
from esteira.release.ancestry import Relation, relate
from tests.repositories import commit_all, make_repository, run_git, write

pytestmark = pytest.mark.programs

ABSENT = "1234567890" * 4


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with the commits first, second and third on main, and side, of first, on a branch."""
    root = make_repository(tmp_path_factory.mktemp("unchanged") / "origin", {"file": "first"})
    run_git(root, "tag", "first")
    run_git(root, "config", "uploadpack.allowFilter", "true")
    for name in ("second", "third"):
        write(root / "file", name)
        commit_all(root, name)
        run_git(root, "tag", name)
    run_git(root, "checkout", "-q", "-b", "side", "first")
    write(root / "file", "side")
    commit_all(root, "side")
    run_git(root, "checkout", "-q", "main")
    return root


@pytest.fixture
def origin(unchanged: Path, tmp_path: Path) -> Path:
    """Return a copy of the repository, for tests that change it."""
    return Path(shutil.copytree(unchanged, tmp_path / "origin"))


def clone(origin: Path, *options: str) -> Path:
    folder = origin.parent / f"clone{'-'.join(options)}"
    if not folder.exists():
        run_git(origin.parent, "clone", "-q", *options, origin.as_uri(), str(folder))
    return folder


def answer(root: Path, commit: str, here: str) -> Relation:
    return relate(root, root.parent / "state", commit, here)


def commit_of(root: Path, name: str) -> str:
    return run_git(root, "rev-parse", name)


@pytest.mark.parametrize("depth", [(), ("--depth", "1"), ("--depth", "2"), ("--filter", "tree:0")])
@pytest.mark.parametrize(
    ("commit", "here", "relation"),
    [
        ("second", "second", "same"),
        ("first", "third", "ancestor"),
        ("third", "first", "descendant"),
        ("side", "third", "diverged"),
        ("third", "side", "diverged"),
        (ABSENT, "third", "unknown"),
    ],
)
def test_a_clone_of_any_depth_gives_the_same_answer(
    unchanged: Path, tmp_path: Path, depth: "tuple[str, ...]", commit: str, here: str, relation: str
) -> None:
    root = clone(unchanged, *depth)
    ids = [name if name == ABSENT else commit_of(unchanged, name) for name in (commit, here)]
    assert relate(root, tmp_path / "state", *ids).kind == relation


def test_the_state_before_the_first_commit_is_in_every_history(origin: Path) -> None:
    here = commit_of(origin, "first")
    assert answer(origin, "", here).kind == "ancestor"
    assert answer(origin, "", "").kind == "same"
    assert answer(origin, here, "") == Relation("unknown", "as there is no commit here yet")


def test_a_shallow_clone_stays_as_it_is(origin: Path) -> None:
    root = clone(origin, "--depth", "1")
    before = {path: path.read_bytes() for path in (root / ".git").rglob("*") if path.is_file()}
    assert answer(root, commit_of(origin, "first"), commit_of(root, "HEAD")).kind == "ancestor"
    assert {path: path.read_bytes() for path in (root / ".git").rglob("*") if path.is_file()} == before


def test_only_commits_are_fetched(origin: Path) -> None:
    root = clone(origin, "--depth", "1")
    answer(root, commit_of(origin, "first"), commit_of(root, "HEAD"))
    objects = run_git(root.parent / "state" / "history.git", "cat-file", "--batch-all-objects", "--batch-check")
    assert {line.split()[1] for line in objects.splitlines()} == {"commit"}


def test_a_commit_that_was_never_pushed_counts(origin: Path) -> None:
    root = clone(origin, "--depth", "1")
    write(root / "file", "mine")
    mine = commit_all(root, "mine")
    assert answer(root, commit_of(origin, "first"), mine).kind == "ancestor"
    assert answer(root, commit_of(origin, "side"), mine).kind == "diverged"


def test_a_full_clone_that_is_behind_asks_origin(origin: Path) -> None:
    root = clone(origin)
    write(origin / "file", "fourth")
    newer = commit_all(origin, "fourth")
    assert answer(root, newer, commit_of(root, "HEAD")).kind == "descendant"


def test_what_origin_once_told_is_kept(origin: Path) -> None:
    root = clone(origin, "--depth", "1")
    first, here = commit_of(origin, "first"), commit_of(root, "HEAD")
    assert answer(root, first, here).kind == "ancestor"
    origin.rename(origin.with_name("gone"))
    assert answer(root, first, here).kind == "ancestor"


def test_a_merge_that_no_branch_holds_is_found_by_where_the_clone_is_cut_off(origin: Path, tmp_path: Path) -> None:
    run_git(origin, "checkout", "-q", "--detach", "main")
    run_git(origin, "merge", "-q", "-m", "merge", "-s", "ours", "side")
    run_git(origin, "update-ref", "refs/pull/1/merge", "HEAD")
    merge = commit_of(origin, "HEAD")
    run_git(origin, "checkout", "-q", "main")
    run_git(origin, "config", "uploadpack.allowAnySHA1InWant", "true")
    root = tmp_path / "clone"
    root.mkdir()
    run_git(root, "init", "-q")
    run_git(root, "remote", "add", "origin", origin.as_uri())
    run_git(root, "fetch", "-q", "--depth", "1", "origin", "refs/pull/1/merge")
    run_git(root, "checkout", "-q", "FETCH_HEAD")
    assert answer(root, commit_of(origin, "side"), merge).kind == "ancestor"


def test_without_an_origin_it_is_unknown_and_why(origin: Path) -> None:
    assert answer(origin, ABSENT, commit_of(origin, "main")) == Relation(
        "unknown", "and there is no remote origin to ask"
    )


def test_an_origin_that_cannot_be_asked_is_told_in_one_line(origin: Path) -> None:
    root = clone(origin, "--depth", "1")
    first = commit_of(origin, "first")
    origin.rename(origin.with_name("gone"))
    relation = answer(root, first, commit_of(root, "HEAD"))
    assert relation.kind == "unknown"
    assert relation.why == f"and origin cannot be asked: fatal: '{origin}' does not appear to be a git repository"


def test_an_origin_that_does_not_answer_is_given_up(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = clone(origin, "--depth", "1")
    run_git(root, "config", "remote.origin.url", "ssh://example.test/o/r.git")
    run_git(root, "config", "core.sshCommand", "sleep 3 #")
    monkeypatch.setattr(ancestry, "FETCH_TIMEOUT_S", 0.3)
    relation = answer(root, commit_of(origin, "first"), commit_of(root, "HEAD"))
    assert relation == Relation("unknown", "and origin cannot be asked: took longer than 0.3 s.")


def test_a_state_folder_that_cannot_be_written_is_told_with_what_to_do(origin: Path) -> None:
    root = clone(origin, "--depth", "1")
    history = root.parent / "state" / "history.git"
    # As a folder that may not be written, which does not keep root from writing.
    write(history / "config.lock", "")
    with pytest.raises(StateError) as caught:
        answer(root, commit_of(origin, "first"), commit_of(root, "HEAD"))
    assert str(caught.value).startswith(f"{history}: cannot make a repository: error: could not lock config file ")
    assert str(caught.value).endswith("Free some space or mend the permissions, then run the command again.")
    assert len(str(caught.value).split("\n")) == 2


def test_nobody_is_asked_for_a_password(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = clone(origin, "--depth", "1")
    run_git(root, "config", "remote.origin.url", "ssh://example.test/o/r.git")
    asked = root.parent / "asked"
    monkeypatch.setenv("GIT_SSH_COMMAND", f'echo "$GIT_TERMINAL_PROMPT [$GIT_ASKPASS]" > {asked}; false')
    answer(root, commit_of(origin, "first"), commit_of(root, "HEAD"))
    assert asked.read_text() == "0 []\n"


def test_a_token_that_counts_for_the_repositorys_folder_alone_reaches_origin(origin: Path, tmp_path: Path) -> None:
    """As actions/checkout keeps it since version 6."""
    root = clone(origin, "--depth", "1")
    run_git(root, "config", "remote.origin.url", "https://example.test/o/r.git")
    token = tmp_path / "token.config"
    # In the place of the header that holds the token: another way to origin, which shows that the file counted.
    run_git(root, "config", "-f", str(token), f"url.{origin.as_uri()}.insteadOf", "https://example.test/o/r.git")
    run_git(root, "config", f"includeIf.gitdir:{root}/.git.path", str(token))
    assert answer(root, commit_of(origin, "first"), commit_of(root, "HEAD")).kind == "ancestor"


def test_two_at_once_both_get_an_answer(origin: Path) -> None:
    root = clone(origin, "--depth", "1")
    program = (
        "import sys; from pathlib import Path; from esteira.release.ancestry import relate; "
        "print(relate(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]).kind)"
    )
    ids = [commit_of(origin, "first"), commit_of(root, "HEAD")]
    command = [sys.executable, "-c", program, str(root), str(root.parent / "state"), *ids]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in started] == ["ancestor\n", "ancestor\n"]
