import gzip
import hashlib
import os
import tarfile
import time
from pathlib import Path
from typing import Dict, Tuple

import pytest

from esteira.builds.archive import anonymous, write_archive
from esteira.source import frozen_source
from tests.repositories import commit_all, make_repository, run_git, write

pytestmark = pytest.mark.programs

TREE = {
    "esteira.toml": "[pipeline]\n",
    ".gitignore": "*.key\n/build/\n",
    ".github/workflows/ci.yaml": "on: push\n",
    "docs/Überblick — 概要.md": "naïve\n",
    "docs/a name with spaces": "",
    "run.sh": "#!/bin/sh\n",
}
# Of the tree above and what `make_tree` adds, unpacked: it changes with what an archive is, and with nothing else.
GOLDEN = "2ade6e2a20af"


def make_tree(root: Path) -> Path:
    make_repository(root, TREE)
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("docs/a name with spaces")
    (root / "far").symlink_to("/etc/passwd")
    (root / "folder").symlink_to("docs")
    commit_all(root)
    return root


def pack(root: Path, to: Path) -> bytes:
    """Return the archive of what is in a repository."""
    to.mkdir(parents=True, exist_ok=True)
    with frozen_source(root, to / "state") as source:
        write_archive(source, to / "source.tgz")
    return (to / "source.tgz").read_bytes()


def entries(content: bytes, tmp_path: Path) -> Dict[str, Tuple[str, str]]:
    """Return each entry's mode in octal, with its kind, and what it holds or leads to."""
    (tmp_path / "read.tgz").write_bytes(content)
    with tarfile.open(tmp_path / "read.tgz") as archive:
        found = {}
        for entry in archive:
            file = archive.extractfile(entry) if entry.isfile() else None
            kind = "d" if entry.isdir() else "l" if entry.issym() else "-"
            found[entry.name] = (f"{kind}{entry.mode:o}", file.read().decode() if file else entry.linkname)
            assert (entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) == (0, 0, "", "", 0)
    return found


def test_an_archive_holds_the_commits_files_with_gits_two_modes_and_nothing_else(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "repository")
    write(root / "secret.key", "0a1b")
    write(root / "build" / "left" / "behind", "0a1b")
    (root / "esteira.toml").chmod(0o600)
    assert entries(pack(root, tmp_path / "out"), tmp_path) == {
        ".github": ("d755", ""),
        ".github/workflows": ("d755", ""),
        ".github/workflows/ci.yaml": ("-644", "on: push\n"),
        ".gitignore": ("-644", "*.key\n/build/\n"),
        "docs": ("d755", ""),
        "docs/a name with spaces": ("-644", ""),
        "docs/Überblick — 概要.md": ("-644", "naïve\n"),
        "esteira.toml": ("-644", "[pipeline]\n"),
        "far": ("l755", "/etc/passwd"),
        "folder": ("l755", "docs"),
        "link": ("l755", "docs/a name with spaces"),
        "run.sh": ("-755", "#!/bin/sh\n"),
    }


def test_an_archive_of_a_changed_working_tree_holds_what_is_there(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "repository")
    write(root / "esteira.toml", "[pipeline]\nname = 'b'\n")
    write(root / "new" / "module.py", "x = 1\n")
    (root / "run.sh").unlink()
    found = entries(pack(root, tmp_path / "out"), tmp_path)
    assert found["esteira.toml"] == ("-644", "[pipeline]\nname = 'b'\n")
    assert found["new/module.py"] == ("-644", "x = 1\n")
    assert "run.sh" not in found


def test_an_archive_is_the_same_whoever_packs_it_where_and_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_tree(tmp_path / "repository")
    first = pack(root, tmp_path / "out")
    other = tmp_path / "another folder" / "clone"
    other.parent.mkdir()
    run_git(tmp_path, "clone", "-q", str(root), str(other))
    os.utime(other / "run.sh", (0, 0))
    before = os.umask(0o077)
    try:
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        monkeypatch.setenv("LC_ALL", "C")
        monkeypatch.setenv("USER", "somebody")
        time.tzset()
        monkeypatch.setattr(time, "time", lambda: 86400.0)
        assert pack(other, tmp_path / "elsewhere") == first
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()


def test_the_bytes_of_an_archive_change_with_its_tree_alone(tmp_path: Path) -> None:
    content = gzip.decompress(pack(make_tree(tmp_path / "repository"), tmp_path / "out"))
    assert hashlib.sha256(content).hexdigest()[:12] == GOLDEN


def test_nobodys_name_and_no_clock_is_in_an_entry() -> None:
    entry = tarfile.TarInfo("run.sh")
    entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime, entry.mode = 1000, 1000, "ml", "ml", 1e9, 0o700
    told = anonymous(entry)
    assert told is not None
    assert (told.uid, told.gid, told.uname, told.gname, told.mtime, told.mode) == (0, 0, "", "", 0, 0o755)


def test_what_git_hides_from_its_own_archives_is_in_a_build_all_the_same(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository", {".gitattributes": "tests export-ignore\n", "tests/a": "a\n"})
    assert sorted(entries(pack(root, tmp_path / "out"), tmp_path)) == [".gitattributes", "tests", "tests/a"]


def test_the_files_of_a_submodule_are_not_in_an_archive(tmp_path: Path) -> None:
    inner = make_repository(tmp_path / "inner", {"a": "a\n"})
    root = make_repository(tmp_path / "repository", {"b": "b\n"})
    run_git(root, "-c", "protocol.file.allow=always", "submodule", "-q", "add", str(inner), "inner")
    commit_all(root)
    found = entries(pack(root, tmp_path / "out"), tmp_path)
    assert [name for name in found if name.startswith("inner/") or ".git/" in name] == []
    assert "b" in found
