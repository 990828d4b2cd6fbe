"""Making the texts distinct, on disk, so that memory stays flat however many there are."""

import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Iterable, Iterator

from esteira.data.rows import Row, text_key
from esteira.errors import StateError

# Rows are appended as they come and sorted once, which is faster than keeping them in order. A group that
# is the text itself is left out, to halve what is sorted.
CREATE = 'CREATE TABLE rows (key BLOB, position INTEGER, text TEXT, label TEXT, source TEXT, "group" TEXT)'
INSERT = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, nullif(?, ?))"
SORT = "CREATE TABLE texts AS SELECT * FROM rows ORDER BY key, position"
READ = 'SELECT key, text, label, source, coalesce("group", text) FROM texts ORDER BY rowid'


class DistinctTexts:
    """The rows of a data set, each text once.

    Of rows with the same text (see `text_key`) the first is kept, with the label that
    most of them have; where two labels are as frequent, the one that comes first.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -65536")  # 64 MiB
        connection.execute(CREATE)

    def load(self, rows: Iterable[Row]) -> None:
        """Take all rows, once; whatever their iterator raises is passed on."""
        numbered = ((text_key(row.text), position, *row, row.text) for position, row in enumerate(rows))
        self._connection.execute("BEGIN")
        self._connection.executemany(INSERT, numbered)
        self._connection.execute(SORT)
        self._connection.execute("DROP TABLE rows")
        self._connection.execute("COMMIT")

    def count(self) -> int:
        """Return how many rows were loaded."""
        return int(self._connection.execute("SELECT count(*) FROM texts").fetchone()[0])

    def __iter__(self) -> Iterator[Row]:
        """Yield each text once, in the order of its key: the same in whichever order rows came."""
        for _, same in groupby(self._connection.execute(READ), key=itemgetter(0)):
            first, *others = (Row(*fields[1:]) for fields in same)
            yield first._replace(label=agree_label([first, *others])) if others else first


def agree_label(rows: Iterable[Row]) -> str:
    """Return the most frequent label; the one met first if several are."""
    return Counter(row.label for row in rows).most_common(1)[0][0]


@contextmanager
def open_distinct_texts(path: Path) -> Iterator[DistinctTexts]:
    """Keep the texts in a database at `path`, which is removed at the end."""
    try:
        with closing(sqlite3.connect(str(path), isolation_level=None)) as connection:
            yield DistinctTexts(connection)
    except sqlite3.OperationalError as error:
        raise StateError(
            f"{path.parent}: cannot sort the texts: {error}.\n"
            "Expected a writable folder with room for a copy of the data. Free some space and try again."
        ) from error
    finally:
        path.unlink(missing_ok=True)
