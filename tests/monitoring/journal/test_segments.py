"""Files of the journal, and what is left of those whose writers were killed."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from esteira.monitoring.journal.segments import (
    BEGINNING,
    blank,
    list_segments,
    make_segment,
    opened_segment,
    remove_beginnings,
    remove_segments,
    writers,
)


def test_segments_are_listed_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    handles = [make_segment(tmp_path) for _ in range(20)]
    inodes = [os.fstat(handle).st_ino for handle in handles]
    assert [path.stat().st_ino for path in list_segments(tmp_path)] == inodes
    assert list_segments(tmp_path / "nowhere") == []
    for handle in handles:
        os.close(handle)


def test_what_was_begun_by_a_killed_writer_goes_and_what_is_held_stays(tmp_path: Path) -> None:
    handle = make_segment(tmp_path)
    (held,) = list_segments(tmp_path)
    beginnings = [tmp_path / f"{BEGINNING}{name}" for name in ("held", "old", "young")]
    held.rename(beginnings[0])
    for path in beginnings[1:]:
        path.touch()
    for path in beginnings[:2]:
        os.utime(path, (0, 0))
    remove_beginnings(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new-held", ".new-young"]
    os.close(handle)


def test_a_beginning_that_gets_its_name_meanwhile_is_skipped(tmp_path: Path) -> None:
    ended = threading.Event()

    def roll() -> None:
        while not ended.is_set():
            os.close(make_segment(tmp_path))
            remove_segments(tmp_path, list_segments(tmp_path))

    with ThreadPoolExecutor(1) as writer:
        rolled = writer.submit(roll)
        try:
            for _ in range(5000):
                remove_beginnings(tmp_path)
        finally:
            ended.set()
        rolled.result()
    assert list(tmp_path.iterdir()) == []


def test_the_writers_of_segments_are_known(tmp_path: Path) -> None:
    os.close(make_segment(tmp_path))
    handle = make_segment(tmp_path)
    assert list(writers(tmp_path)) == [(list_segments(tmp_path)[1], str(os.getpid()))]
    os.close(handle)
    assert list(writers(tmp_path)) == []


def test_a_beginning_is_blanked_while_its_writer_appends(tmp_path: Path) -> None:
    handle = make_segment(tmp_path)
    os.write(handle, b"secret" * 300_000)
    (path,) = list_segments(tmp_path)
    with opened_segment(path) as segment:
        os.write(handle, b"more")
        blank(segment, 6 * 300_000)
        os.write(handle, b" and more")
    os.close(handle)
    assert path.read_bytes() == bytes(6 * 300_000) + b"more and more"
    remove_segments(tmp_path, [path])
    assert list_segments(tmp_path) == []
