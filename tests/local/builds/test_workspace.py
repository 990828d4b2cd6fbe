import os
import stat
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from esteira.local.builds.workspace import claim_folder, fill_workspace, keep_only
from esteira.settings import Settings, load_settings
from esteira.source import frozen_source
from tests.repositories import commit_all, run_git

pytestmark = pytest.mark.programs

STRANGE = [
    "with space",
    "line\nbreak",
    "carriage\rreturn",
    "café",
    'quote"back\\slash',
    "deep/er/file",
    "-dash",
]


@pytest.fixture
def fill(repository: Path) -> Callable[[], List[str]]:
    """Return a function that lays the repository down in the folder `ws` beside it."""
    return lambda: fill_from(repository, "ws")


def fill_from(root: Path, name: str) -> List[str]:
    parent = next(folder for folder in root.parents if not (folder / ".git").exists())
    with frozen_source(root, parent / "state") as source:
        return fill_workspace(parent / name, source)


def tree(folder: Path) -> Dict[str, str]:
    """Return what lies below a folder, git's own and submodules aside: path to mode and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name.split("/")[0] == ".git" or (path.is_dir() and not path.is_symlink()):
            continue
        mode = path.lstat().st_mode
        content = os.readlink(path) if stat.S_ISLNK(mode) else path.read_text()
        found[name] = f"{'link' if stat.S_ISLNK(mode) else 'x' if mode & 0o100 else '-'} {content}"
    return found


def write_strange_files(repository: Path) -> None:
    for name in STRANGE:
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(name)
    with open(os.fsencode(repository) + b"/latin-\xe9", "wb") as stream:
        stream.write(b"bytes")
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "link").symlink_to("file.txt")
    (repository / "broken link").symlink_to("nowhere")
    (repository / "link to folder").symlink_to("deep")


@pytest.mark.parametrize("committed", [True, False])
def test_the_source_arrives_whole(repository: Path, fill: Callable[[], List[str]], committed: bool) -> None:
    write_strange_files(repository)
    if committed:
        run_git(repository, "add", "--all")
        run_git(repository, "commit", "-q", "-m", "strange")
    lines = fill()
    assert len(lines) == 1
    assert lines[0].startswith("commit" if committed else "the working tree, not a commit: 12 files differ from")
    assert tree(repository.parent / "ws") == tree(repository)
    assert len(tree(repository)) == len(STRANGE) + 6


def test_a_commit_is_laid_down_whatever_the_attributes_say(repository: Path, fill: Callable[[], List[str]]) -> None:
    (repository / ".gitattributes").write_text("file.txt export-ignore\n")
    run_git(repository, "add", "--all")
    run_git(repository, "commit", "-q", "-m", "attributes")
    fill()
    assert (repository.parent / "ws" / "file.txt").read_text() == "committed\n"


def test_ignored_files_and_those_of_the_commit_that_were_deleted_stay_out(
    repository: Path, fill: Callable[[], List[str]]
) -> None:
    (repository / ".gitignore").write_text("*.log\n")
    (repository / "a.log").write_text("")
    (repository / "file.txt").unlink()
    fill()
    assert list(tree(repository.parent / "ws")) == [".gitignore"]


def test_building_leaves_the_repository_as_it_was(repository: Path, fill: Callable[[], List[str]]) -> None:
    run_git(repository, "update-index", "--refresh")
    index = (repository / ".git" / "index").read_bytes()
    fill()
    assert (repository / ".git" / "index").read_bytes() == index
    assert run_git(repository, "status", "--porcelain") == ""


def test_a_folder_of_a_bigger_repository_is_laid_down_alone(repository: Path) -> None:
    inner = repository / "in ner"
    (inner / "deep").mkdir(parents=True)
    (inner / "deep" / "a").write_text("a")
    assert fill_from(inner, "dirty")[0].startswith("the working tree, not a commit: 1 file differs")
    commit_all(repository)
    assert fill_from(inner, "clean")[0].startswith("commit")
    for name in ("dirty", "clean"):
        assert tree(repository.parent / name) == {"deep/a": "- a"}


@pytest.mark.parametrize("dirty", [True, False])
def test_a_submodule_is_said_to_be_missing(repository: Path, fill: Callable[[], List[str]], dirty: bool) -> None:
    run_git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "sub")
    run_git(repository, "commit", "-q", "-m", "sub")
    if dirty:
        (repository / "new").write_text("")
    assert fill()[1:] == ["submodules are not laid down, as in Cloud Build: sub"]


def test_a_repository_inside_that_is_no_submodule_is_said_to_be_missing(
    repository: Path, fill: Callable[[], List[str]]
) -> None:
    run_git(repository, "init", "-q", "nes ted")
    (repository / "nes ted" / "file").write_text("")
    assert fill()[1:] == ["submodules are not laid down, as in Cloud Build: nes ted"]
    assert list(tree(repository.parent / "ws")) == ["file.txt"]


def test_no_setting_of_a_user_changes_what_is_laid_down(repository: Path, fill: Callable[[], List[str]]) -> None:
    run_git(repository, "config", "core.autocrlf", "true")
    (repository / "new.txt").write_bytes(b"one\r\ntwo\r\n")
    fill()
    assert (repository.parent / "ws" / "file.txt").read_bytes() == b"committed\n"
    assert (repository.parent / "ws" / "new.txt").read_bytes() == b"one\ntwo\n"


def test_what_is_laid_down_is_what_was_frozen(repository: Path) -> None:
    commit = run_git(repository, "rev-parse", "HEAD")
    for name, text in (("clean", "committed\n"), ("dirty", "edited\n")):
        (repository / "file.txt").write_text(text)
        with frozen_source(repository, repository.parent / "state") as source:
            (repository / "file.txt").write_text("edited after that\n")
            (repository / ".gitattributes").write_text("* eol=crlf\n")
            commit_all(repository)
            fill_workspace(repository.parent / name, source)
        assert tree(repository.parent / name) == {"file.txt": f"- {text}"}
        run_git(repository, "reset", "-q", "--hard", commit)


def test_a_state_folder_inside_the_repository_is_not_copied(repository: Path) -> None:
    settings = load_settings(repository, {"ESTEIRA_STATE": str(repository / "state")}, {})
    (repository / "new").write_text("")
    with claim_folder(settings, "b-1") as folder, frozen_source(repository, settings.state) as source:
        assert source.changed == 1
        fill_workspace(folder / "workspace", source)
        assert sorted(tree(folder / "workspace")) == ["file.txt", "new"]


def test_a_running_builds_folder_is_never_removed_and_an_old_one_is(settings: Settings) -> None:
    builds = settings.state / "builds"
    with claim_folder(settings, "old"):
        pass
    with claim_folder(settings, "running") as running, claim_folder(settings, "failed") as failed:
        keep_only(failed)
        assert sorted(path.name for path in builds.iterdir()) == ["failed", "running"]
    keep_only(running)
    assert [path.name for path in builds.iterdir()] == ["running"]


def test_a_state_folder_elsewhere_gets_no_gitignore(settings: Settings) -> None:
    with claim_folder(settings, "one"):
        assert not (settings.state / ".gitignore").exists()
