import json
import os
import time
from pathlib import Path

import pytest

from esteira.release.digest import digest_file
from esteira.release.stat_cache import FILE, GRAIN_NS, StatCache


def later() -> int:
    """A clock that is ahead, so that what was just written counts as old."""
    return time.time_ns() + 2 * GRAIN_NS


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text("text,label\n")
    return tmp_path / "data.csv"


def keep(data: Path) -> None:
    cache = StatCache(data.with_name(FILE), clock=later)
    cache.digest(data)
    cache.save()


def spoil(data: Path) -> None:
    """Make the kept digest another one, so that it is seen where it comes from."""
    path = data.with_name(FILE)
    path.write_text(path.read_text().replace("sha256:", "kept:"))


def digest(data: Path) -> str:
    return StatCache(data.with_name(FILE)).digest(data)


def test_an_unchanged_file_is_not_read_again(data: Path) -> None:
    keep(data)
    spoil(data)
    assert digest(data).startswith("kept:")


@pytest.mark.parametrize("how", ["longer", "same length", "older", "another file", "mode"])
def test_a_file_is_read_again_where_stat_differs(data: Path, how: str) -> None:
    keep(data)
    spoil(data)
    before = data.stat()
    if how == "another file":
        (data.parent / "new").write_text("text,label\n")
        os.utime(data.parent / "new", ns=(before.st_mtime_ns, before.st_mtime_ns))
        (data.parent / "new").replace(data)
    elif how == "mode":
        data.chmod(0o600)
    elif how != "older":
        data.write_text("text,label\na,b\n" if how == "longer" else "TEXT,LABEL\n")
    if how in ("older", "same length"):
        # Back to the same time stamp, which the kernel notes as a change of the inode.
        os.utime(data, ns=(before.st_atime_ns, before.st_mtime_ns - (how == "older")))
    assert digest(data) == digest_file(data)


def test_a_file_that_was_just_written_is_not_trusted(data: Path) -> None:
    cache = StatCache(data.with_name(FILE))
    cache.digest(data)
    cache.save()
    assert json.loads(data.with_name(FILE).read_text()) == {}
    os.utime(data, (4e9, 4e9))
    keep(data)
    assert json.loads(data.with_name(FILE).read_text()) == {}


def test_a_file_that_changes_while_it_is_read_is_not_kept(data: Path) -> None:
    def edit() -> int:
        with data.open("a") as stream:
            stream.write("a,b\n")
        return later()

    cache = StatCache(data.with_name(FILE), clock=edit)
    cache.digest(data)
    cache.save()
    assert json.loads(data.with_name(FILE).read_text()) == {}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"/a": 1}', '{"/a": {"size": 1}}', "\udcff"])
def test_a_damaged_file_holds_nothing(data: Path, content: str) -> None:
    data.with_name(FILE).write_bytes(os.fsencode(content))
    assert digest(data) == digest_file(data)
    keep(data)
    spoil(data)
    assert digest(data).startswith("kept:")


def test_files_that_are_gone_are_forgotten(data: Path) -> None:
    keep(data)
    data.rename(data.with_name("moved"))
    keep(data.with_name("moved"))
    assert list(json.loads(data.with_name(FILE).read_text())) == [str(data.with_name("moved"))]


def test_without_a_place_to_keep_it_a_digest_is_right_all_the_same(data: Path) -> None:
    cache = StatCache(data / FILE, clock=later)
    assert cache.digest(data) == digest_file(data)
    cache.save()
