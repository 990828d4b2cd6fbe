"""The writer: what is in the journal when a request is answered."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from esteira.errors import WarehouseError
from esteira.monitoring.journal import request_log
from esteira.monitoring.journal.frames import read_frames
from esteira.monitoring.journal.segments import is_held, list_segments, opened_segment
from tests.conftest import REPOSITORY
from tests.monitoring.logged import DEPLOYED, OTHER, ids_of, opened_log, place_in, write

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from tests.monitoring.logged import opened_log, place_in, write

# A file that may not grow is what a full disk looks like, and it is full in the middle of a record.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = opened_log(place_in(Path(sys.argv[1])))
write(log, 1)
size = next((Path(sys.argv[1]) / "warehouse" / "journal").iterdir()).stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
for text in ("x" * 500, "x"):
    try:
        write(log, 2, text=text)
    except OSError as error:
        print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write(log, 3)
"""


def test_a_request_is_in_the_file_when_keep_returns(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 1, 2)
    write(log, 3, deployed=OTHER)
    (path,) = list_segments(place.journal)
    found = read_frames(path.read_bytes(), limit=10)
    assert [(record.request_id, record.deployed) for record in found.records] == [(1, 0), (2, 0), (3, 1)]
    assert [found.models[number].deployed for number in (0, 1)] == [DEPLOYED, OTHER]
    assert next(iter(found.records)).request == b'{"instances": [{"text": "a film"}]}'
    log.close()


def test_nobody_else_can_look_into_the_files(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    place.folder.mkdir(mode=0o755)
    log = opened_log(place)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (place.folder, place.journal, *list_segments(place.journal))]
    assert modes == [0o700, 0o700, 0o600]
    log.close()


def test_a_segment_is_held_as_long_as_its_writer_has_it(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    (path,) = list_segments(place.journal)
    with opened_segment(path) as segment:
        assert segment.is_live
        log.close()
        assert not is_held(segment.handle)


def test_segments_roll_over_by_size_and_each_describes_its_models(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    log = opened_log(place, segment_bytes=600)
    write(log, *range(12))
    log.close()
    paths = list_segments(place.journal)
    assert len(paths) > 2
    parts = [read_frames(path.read_bytes(), limit=100) for path in paths]
    assert [number for part in parts for number in part.records.request_ids] == list(range(12))
    assert all(part.models[0].deployed == DEPLOYED for part in parts)


@pytest.mark.parametrize(("percent", "least", "most"), [(0, 0, 0), (100, 2000, 2000), (25, 350, 650)])
def test_a_part_of_the_requests_is_kept_at_random(tmp_path: Path, percent: int, least: int, most: int) -> None:
    place = place_in(tmp_path)
    log = opened_log(place, percent=percent)
    write(log, *range(2000))
    log.close()
    (path,) = list_segments(place.journal)
    assert least <= len(read_frames(path.read_bytes(), limit=5000).records) <= most


@pytest.mark.parametrize("text", ["hash", "redact"])
def test_no_text_gets_into_the_file_where_the_settings_forbid_it(tmp_path: Path, text: str) -> None:
    place = place_in(tmp_path)
    log = opened_log(place, text=text)
    write(log, 1, text="my secret")
    log.close()
    (path,) = list_segments(place.journal)
    assert b"my secret" not in path.read_bytes()
    assert b"negative" in path.read_bytes()


@pytest.mark.programs
def test_a_full_disk_is_told_and_harms_no_other_request(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=False)
    journal = place_in(tmp_path).journal
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"{journal}: only 100 of ")
    (path,) = list_segments(journal)
    found = read_frames(path.read_bytes(), limit=10)
    assert (found.records.request_ids, found.damaged) == ([1, 3], [])
    assert found.end == path.stat().st_size


def lost(journal: Path, number: int) -> str:
    return (
        f"{journal}: the file that the server writes to was removed: up to {number} requests are lost, "
        "those of it that were not loaded yet. A new one is written. Stop the server before you remove its log"
    )


def test_a_file_that_is_removed_is_told_and_a_new_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(request_log, "LOOK_S", 0.0)
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 1, 2)
    shutil.rmtree(place.folder)
    with pytest.raises(OSError) as told:
        write(log, 3)
    assert str(told.value) == lost(place.journal, 2)
    write(log, 4)
    assert ids_of(place) == [3, 4]
    assert stat.S_IMODE(place.journal.stat().st_mode) == 0o700
    for path in list_segments(place.journal):
        path.unlink()
    log.close()
    assert capfd.readouterr().err == f"request log: {lost(place.journal, 2)}\n"


def test_while_no_new_file_can_be_made_for_one_that_is_removed_each_request_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    shutil.rmtree(place.folder)
    place.folder.write_text("a file", encoding="utf-8")
    monkeypatch.setattr(request_log, "LOOK_S", 0.0)
    for _ in range(2):
        with pytest.raises(OSError, match="File exists"):
            write(log, 1)
    place.folder.unlink()
    with pytest.raises(OSError, match="up to 0 requests are lost"):
        write(log, 2)
    log.close()
    assert ids_of(place) == [2]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "warehouse").write_text("a file", encoding="utf-8")
    with pytest.raises(WarehouseError) as told:
        opened_log(place_in(tmp_path))
    assert str(told.value).startswith(f"{tmp_path}/warehouse: the request log cannot be used: File exists.\n")


def test_a_thousand_records_leave_one_open_file(tmp_path: Path) -> None:
    log = opened_log(place_in(tmp_path), segment_bytes=1000)
    before = len(os.listdir("/proc/self/fd"))
    write(log, *range(1000))
    assert len(os.listdir("/proc/self/fd")) == before
    log.close()
