"""What a database that cannot be used is told as: damage, the disk, or another program."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from esteira.errors import WarehouseError
from esteira.monitoring.warehouse.database import DATABASE, Place, open_place
from tests.conftest import REPOSITORY
from tests.monitoring.logged import logged, place_in

OPEN = """
import os, resource, signal, sys
from pathlib import Path
from esteira.errors import WarehouseError
from tests.monitoring.logged import logged, place_in

# A file that may not grow is what a full disk looks like.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
os.umask(0o022)
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    logged(place_in(Path(sys.argv[1])))
except WarehouseError as error:
    print(error)
"""
NO_OVERRIDE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []


def filled(folder: Path) -> Place:
    place = place_in(folder)
    with open_place(place) as warehouse:
        rows = [{"request_id": number, "request_payload": ["x" * 100 + str(number)]} for number in range(5000)]
        warehouse.insert("request_log", rows)
    return place


def damage_of(place: Place) -> str:
    """Return what is told of a database that is damaged, without its first line's end, which is DuckDB's."""
    with pytest.raises(WarehouseError) as told, open_place(place) as warehouse:
        warehouse.run("read it all", "SELECT max(request_payload[1]) FROM esteira.request_log")
    first, second = str(told.value).split("\n")
    file = place.folder / DATABASE
    assert second.endswith(f"with what the journal still holds: mv {file} {file}.damaged")
    start = f"{file}: cannot be used: IO Error: "
    assert first.startswith(start)
    return first[len(start) :]


# Two of its headers, and its first block: none is taken for a lock, though all say "in block".
@pytest.mark.parametrize("position", [4196, 8292, 13288])
def test_damage_is_told_at_once_wherever_it_is(tmp_path: Path, position: int) -> None:
    place = filled(tmp_path)
    with (place.folder / DATABASE).open("r+b") as file:
        file.seek(position)
        file.write(b"\xaa" * 64)
    assert damage_of(place).startswith("Corrupt database file: ")


def test_damage_that_is_found_after_opening_is_told_as_such(tmp_path: Path) -> None:
    place = filled(tmp_path)
    file = place.folder / DATABASE
    content = file.read_bytes()
    # Of blocks of 256 KiB after three headers; what the first one describes is not read when it is opened.
    second = 3 * 4096 + 256 * 1024
    assert len(content) > second + 4096
    for damaged, told in (
        (content[: second + 4096] + b"\xaa" * (len(content) - second - 4096), "Corrupt database file: "),
        (content[: second + 4096], "Could not read enough bytes from file "),
    ):
        file.write_bytes(damaged)
        assert damage_of(place).startswith(told)


def told_by(folder: Path, *limit: str, without: List[str]) -> str:
    command = [*without, sys.executable, "-c", OPEN, str(folder), *limit]
    ended = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return ended.stdout


def told_of(place: Place, reason: str) -> str:
    return (
        f"{place.folder / DATABASE}: the request log cannot be used: {reason}.\n"
        "Expected a folder of one's own with free space. Free some, or see whose it is: "
        f"ls -la {place.folder}\n"
    )


@pytest.mark.programs
@pytest.mark.parametrize("limit", ["0", "6000"])
def test_a_full_disk_is_no_damage_and_leaves_no_beginning_of_a_database(tmp_path: Path, limit: str) -> None:
    place = place_in(tmp_path)
    assert told_by(tmp_path, limit, without=[]) == told_of(place, "File too large")
    assert [path.name for path in place.folder.iterdir()] == ["journal"]
    assert told_by(tmp_path, without=[]) == ""
    assert stat.S_IMODE((place.folder / DATABASE).stat().st_mode) == 0o600


@pytest.mark.programs
def test_a_file_that_may_not_be_opened_is_no_damage(tmp_path: Path) -> None:
    place = filled(tmp_path)
    file = place.folder / DATABASE
    file.chmod(0)
    assert told_by(tmp_path, without=NO_OVERRIDE) == told_of(place, "Permission denied")
    file.chmod(0o600)
    assert len(logged(place)) == 5000


def test_an_empty_file_that_a_full_disk_has_left_is_no_damage(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    place.folder.mkdir()
    (place.folder / DATABASE).touch(0o644)
    assert logged(place) == []
    assert stat.S_IMODE((place.folder / DATABASE).stat().st_mode) == 0o600
