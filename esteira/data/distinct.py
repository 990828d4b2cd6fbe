"""Making the texts distinct, on disk, so that memory stays flat however many there are."""

import sqlite3
from collections import Counter
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Iterable, Iterator

from esteira.data.rows import Row, text_key
from esteira.errors import StateError

# The primary key keeps the rows of one text together, the first row first.
CREATE = """
    CREATE TABLE texts (key BLOB, position INTEGER, text TEXT, label TEXT, source TEXT, "group" TEXT,
                        PRIMARY KEY (key, position)) WITHOUT ROWID
"""


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

    def add(self, rows: Iterable[Row]) -> None:
        """Add rows; whatever their iterator raises is passed on."""
        numbered = ((text_key(row.text), position, *row) for position, row in enumerate(rows))
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO texts VALUES (?, ?, ?, ?, ?, ?)", numbered)
        self._connection.execute("COMMIT")

    def count(self) -> int:
        """Return how many rows were added."""
        return int(self._connection.execute("SELECT count(*) FROM texts").fetchone()[0])

    def __iter__(self) -> Iterator[Row]:
        """Yield each text once, in the order of its key: the same in whichever order rows came."""
        texts = self._connection.execute(
            'SELECT key, text, label, source, "group" FROM texts ORDER BY key, position'
        )
        for _, same in groupby(texts, key=itemgetter(0)):
            first, *others = (Row(*fields[1:]) for fields in same)
            yield first._replace(label=agree_label([first, *others])) if others else first


def agree_label(rows: Iterable[Row]) -> str:
    """Return the most frequent label; the one met first if several are."""
    return Counter(row.label for row in rows).most_common(1)[0][0]


@contextmanager
def open_distinct_texts(path: Path) -> Iterator[DistinctTexts]:
    """Keep the texts in a database at `path`, which is removed at the end."""
    connection = sqlite3.connect(str(path), isolation_level=None)
    try:
        yield DistinctTexts(connection)
    except sqlite3.OperationalError as error:
        raise StateError(
            f"{path.parent}: cannot sort the texts: {error}.\n"
            "Expected a writable folder with room for a copy of the data. Free some space and try again."
        ) from error
    finally:
        connection.close()
        path.unlink(missing_ok=True)
