"""The journal is loaded exactly once, whatever ends when."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import List, Set

import pytest

from esteira.monitoring.journal.segments import list_segments
from esteira.monitoring.warehouse import ingest
from esteira.monitoring.warehouse.database import open_place
from tests.conftest import REPOSITORY
from tests.monitoring.logged import DEPLOYED, OTHER, ids_of, logged, opened_log, place_in, rows_of, write

# Writes requests with the ids from a number on until it is killed, and prints each one's id once it is kept.
WRITER = """
import itertools, sys, time
from pathlib import Path
from tests.monitoring.logged import opened_log, place_in, write

log = opened_log(place_in(Path(sys.argv[1])), segment_bytes=20_000)
for number in itertools.count(int(sys.argv[2])):
    write(log, number)
    print(number, flush=True)
    # A million of them would only take longer to load.
    time.sleep(0.0003)
"""
# Loads the journal again and again until it is killed.
READER = """
import sys
from pathlib import Path
from esteira.monitoring.warehouse.database import open_place
from tests.monitoring.logged import place_in

while True:
    with open_place(place_in(Path(sys.argv[1])), limit=50) as warehouse:
        print(warehouse.loaded, flush=True)
"""


def start(code: str, folder: Path, first: int = 0) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, str(folder), str(first)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, encoding="utf-8")


def kill(process: "subprocess.Popen[str]") -> List[str]:
    """End a process with no warning, and return the whole lines that it has written."""
    process.send_signal(signal.SIGKILL)
    written, _ = process.communicate()
    return written.split("\n")[:-1]


def test_rows_are_what_was_answered(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 2**62, text='a "film" ✓')
    (row,) = logged(place)
    time = row.pop("logging_time")
    assert row == {
        "endpoint": DEPLOYED.endpoint,
        "deployed_model_id": DEPLOYED.id,
        "request_id": 2**62,
        "request_payload": ['{"text":"a \\"film\\" ✓"}'],
        "response_payload": ['{"label":"negative"}'],
        "model_version": DEPLOYED.model_version,
        "release_id": "r-1",
    }
    assert time.utcoffset().total_seconds() == 0
    log.close()


def test_what_a_living_writer_adds_is_loaded_by_the_next_who_looks(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    assert ids_of(place) == []
    for number in range(3):
        write(log, number)
        assert ids_of(place) == list(range(number + 1))
    assert len(list_segments(place.journal)) == 1
    log.close()
    assert ids_of(place) == [0, 1, 2]
    assert list_segments(place.journal) == []


def test_each_model_has_one_row_whatever_number_of_segments_describe_it(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    for _ in range(2):
        log = opened_log(place, segment_bytes=500)
        write(log, *range(5))
        write(log, 9, deployed=OTHER)
        log.close()
    with open_place(place) as warehouse:
        rows = warehouse.query("read", "SELECT * FROM `esteira.deployed_models` ORDER BY release_id")
        first = rows_of(warehouse)[0]
    assert [(row["deployed_model_id"], row["labels"]) for row in rows] == [
        ("1234567890", ["negative", "positivo ✓"]),
        ("2", []),
    ]
    assert rows[0]["signature"] == (
        '{"inputs": [{"name": "text", "dtype": "DT_STRING", "shape": [null]}], "outputs": '
        '[{"name": "label", "dtype": "DT_STRING", "shape": [null]}, '
        '{"name": "probabilities", "dtype": "DT_FLOAT", "shape": [null, 2]}]}'
    )
    assert rows[0]["deployed_time"] <= first["logging_time"]


def test_a_torn_end_is_told_and_all_before_it_is_loaded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 1, 2)
    (path,) = list_segments(place.journal)
    size = path.stat().st_size
    write(log, 3)
    log.close()
    os.truncate(path, size + 30)
    assert ids_of(place) == [1, 2]
    assert capfd.readouterr().err == (
        f"{path}: 30 bytes at {size} are damaged and left out; a power cut or a full disk does so. "
        "All other requests are loaded.\n"
    )
    with open_place(place) as warehouse:
        found = warehouse.run("read", "SELECT position, size_bytes FROM journal.damage")
    assert found == [{"position": size, "size_bytes": 30}]
    assert list_segments(place.journal) == []


def test_damage_in_the_middle_costs_one_request(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 1)
    (path,) = list_segments(place.journal)
    size = path.stat().st_size
    write(log, 2, 3)
    with path.open("r+b") as stream:
        stream.seek(size)
        stream.write(bytes(60))
    assert ids_of(place) == [1, 3]
    write(log, 4)
    assert ids_of(place) == [1, 3, 4]
    assert capfd.readouterr().err.count("damaged") == 1
    log.close()


def test_a_record_is_loaded_that_is_longer_than_what_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "PART_BYTES", 1000)
    monkeypatch.setattr(ingest, "TRANSACTION_RECORDS", 2)
    place = place_in(tmp_path)
    log = opened_log(place)
    for number, size in enumerate([10, 5000, 10, 900, 100_000, 10]):
        write(log, number, text="x" * size)
    assert ids_of(place) == list(range(6))
    log.close()


def test_a_loading_that_fails_is_done_again_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_in(tmp_path)
    log = opened_log(place)
    write(log, 1, 2)

    def fail(part: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "tell", fail)
        with pytest.raises(KeyboardInterrupt):
            ids_of(place)
    assert ids_of(place) == [1, 2]
    log.close()


def test_rows_that_are_too_old_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = opened_log(place_in(tmp_path))
    day_s = 24 * 60 * 60
    for number, age_days in enumerate([31, 29, 0]):
        at_ns = time.time_ns() - age_days * day_s * 10**9
        monkeypatch.setattr(time, "time_ns", lambda at_ns=at_ns: at_ns)
        write(log, number)
        monkeypatch.undo()
    log.close()
    assert ids_of(place_in(tmp_path)) == [0, 1, 2]
    assert ids_of(place_in(tmp_path, expiry_days=30)) == [1, 2]


@pytest.mark.programs
@pytest.mark.slow
def test_what_a_killed_writer_has_kept_is_loaded_once_by_readers_that_are_killed(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    kept: Set[int] = set()
    for round_ in range(6):
        writer, reader = start(WRITER, tmp_path, first=round_ * 10**6), start(READER, tmp_path)
        # Both have begun, and then some time.
        assert writer.stdout is not None and reader.stdout is not None
        kept.add(int(writer.stdout.readline()))
        reader.stdout.readline()
        time.sleep(0.05 * round_)
        processes = (reader, writer) if round_ % 2 else (writer, reader)
        written = {process: kill(process) for process in processes}
        kept |= {int(line) for line in written[writer]}
    found = ids_of(place)
    assert len(found) == len(set(found))
    assert kept <= set(found)
    # At most the last one of each round was kept and not told.
    assert len(set(found) - kept) <= 6
    assert list_segments(place.journal) == []
