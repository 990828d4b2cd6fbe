"""Opening the database of the request log, and what its errors mean: another program, the disk, or damage."""

import errno
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional

from esteira.errors import WarehouseError
from esteira.monitoring.warehouse.folder import private_files, unusable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1500MB"
PAUSE_S = 0.2
# What DuckDB says of a file, in words: https://github.com/duckdb/duckdb/blob/v1.2.2/src/common/local_file_system.cpp
LOCKED = "Could not set lock on file"
DAMAGE = ("Corrupt database file", "Could not read enough bytes", "Failed to deserialize")
# What the operating system refuses; a database is none the worse for it.
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


def connect(file: Path, spill: Path, wait_s: float) -> "DuckDBPyConnection":
    """Return a connection in UTC; another program that has the file open is waited for. Raises WarehouseError.

    Its file is made where there is none, for its user alone, and does not stay if it cannot be made as a whole.
    """
    import duckdb

    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            return opened(file, spill)
        except duckdb.Error as error:
            if LOCKED not in str(error):
                raise refused(file, error) or damaged(file, error) from error
            if time.monotonic() > deadline_s:
                raise WarehouseError(
                    f"{file}: another program has it open: {first_line(error)}\n"
                    "Expected it to be closed. End that program, then run this again."
                ) from None
            time.sleep(PAUSE_S)


def opened(file: Path, spill: Path) -> "DuckDBPyConnection":
    import duckdb

    config: Dict[str, Any] = {
        "memory_limit": MEMORY,
        "temp_directory": str(spill),
        # Loading takes less of the machine so, and is no slower: the next part is read meanwhile.
        "threads": 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with whole_or_none(file), private_files():
        connection = duckdb.connect(str(file), config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@contextmanager
def whole_or_none(file: Path) -> Iterator[None]:
    """Leave no beginning of a file where there was none before; DuckDB takes an empty one for a damaged database."""
    try:
        is_new = not file.stat().st_size
    except OSError as error:
        is_new = error.errno == errno.ENOENT
    try:
        if is_new:
            remove(file)
        yield
    except BaseException:
        if is_new:
            remove(file)
        raise


def remove(file: Path) -> None:
    """Remove a file that may not be there; one that cannot be removed is told of when it is opened."""
    try:
        file.unlink()
    except OSError:
        return


def quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def damaged(file: Path, error: Exception) -> WarehouseError:
    return WarehouseError(
        f"{file}: cannot be used: {first_line(error)}\n"
        "Expected a database of DuckDB 1.2. Put it aside, and a new one is made, with what the journal still holds: "
        f"mv {file} {file}.damaged"
    )


def refused(file: Path, error: Exception) -> Optional[WarehouseError]:
    """Return what is to be told if the operating system has refused something, None if it is something else."""
    reasons = [os.strerror(code) for code in REFUSALS if os.strerror(code) in str(error)]
    return unusable(file, reasons[0], file.parent) if reasons else None


@contextmanager
def telling(what: str, file: Path) -> Iterator[None]:
    """Turn DuckDB's errors into WarehouseError."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        # A statement's own errors can quote what is in a row: such words mean nothing there.
        is_broken = isinstance(error, (duckdb.FatalException, duckdb.InternalException))
        is_of_files = is_broken or isinstance(
            error, (duckdb.IOException, duckdb.TransactionException, duckdb.SerializationException)
        )
        told = refused(file, error) if is_of_files else None
        if told is None and (is_broken or (is_of_files and any(words in str(error) for words in DAMAGE))):
            told = damaged(file, error)
        raise told or WarehouseError(f"{what}: {str(error).strip()}") from error


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
