from pathlib import Path

import pytest

from esteira.release.partition import LEFT_OUT, PATTERNS
from esteira.source import frozen_source
from esteira.source.patch import source_patch
from tests.repositories import commit_all, run_git, write

pytestmark = pytest.mark.programs


def patch_of(root: Path, *patterns: str) -> bytes:
    with frozen_source(root, root.parent / "state") as source:
        return source_patch(source, patterns)


def test_a_clean_source_has_none(repository: Path) -> None:
    assert patch_of(repository, "**") == b""


def test_the_patch_makes_the_frozen_tree_of_its_commit(repository: Path, tmp_path: Path) -> None:
    run_git(repository, "clone", "-q", ".", str(tmp_path / "clone"))
    run_git(repository, "config", "diff.noprefix", "true")
    run_git(repository, "config", "color.ui", "always")
    (repository / "file.txt").rename(repository / "renamed é")
    (repository / "renamed é").chmod(0o755)
    (repository / "bytes").write_bytes(bytes(range(256)) * 9)
    (repository / "latin").write_bytes(b"caf\xe9\nno end")
    (repository / "link").symlink_to("bytes")
    write(repository / "crlf", "")
    (repository / "crlf").write_bytes(b"one\r\n")
    (tmp_path / "patch").write_bytes(patch_of(repository, "**"))
    run_git(tmp_path / "clone", "apply", str(tmp_path / "patch"))
    for root in (repository, tmp_path / "clone"):
        commit_all(root)
    assert len({run_git(root, "rev-parse", "HEAD^{tree}") for root in (repository, tmp_path / "clone")}) == 1


def test_only_files_that_match_are_in_it(repository: Path) -> None:
    write(repository / "modules" / "deep" / "a", "a\n")
    write(repository / "b.txt", "b\n")
    write(repository / "deep" / "c.txt", "c\n")
    patch = patch_of(repository, "modules/**", "*.txt").decode()
    assert [line for line in patch.splitlines() if line.startswith("+++")] == ["+++ b/b.txt", "+++ b/modules/deep/a"]


def test_what_no_part_is_made_of_is_left_out_of_it(repository: Path) -> None:
    for name in (".env", "deep/.hidden/secret", "x.py~", "deep/__pycache__/x.cpython-38.pyc", "deep/.env"):
        write(repository / "pipeline" / name, "secret\n")
    write(repository / "pipeline" / "deep" / "kept.py", "kept\n")
    with frozen_source(repository, repository.parent / "state") as source:
        patch = source_patch(source, PATTERNS, LEFT_OUT).decode()
    assert [line for line in patch.splitlines() if line.startswith("+++")] == ["+++ b/pipeline/deep/kept.py"]


def test_paths_are_those_of_the_folder_in_a_bigger_repository(repository: Path) -> None:
    write(repository / "inner" / "modules" / "a", "a\n")
    assert b"+++ b/modules/a\n" in patch_of(repository / "inner", "modules/**")
