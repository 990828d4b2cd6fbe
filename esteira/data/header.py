"""Finding the wanted columns and the delimiter in a CSV's header."""

import csv
import difflib
from pathlib import Path
from typing import List, NamedTuple, Optional, TextIO

from esteira.data.rows import fold_text
from esteira.errors import DataError
from esteira.settings import DataSettings

DELIMITERS = ",;\t|"
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


class Header(NamedTuple):
    """The columns of a CSV, and the positions from 0 of those that are wanted."""

    delimiter: str
    names: List[str]
    text: int
    label: int
    source: Optional[int]

    def wrong_count(self, count: int) -> str:
        fields = "1 field" if count == 1 else f"{count} fields"
        return (
            f"has {fields}, expected {len(self.names)} parted by {DELIMITER_NAMES[self.delimiter]} "
            f"({shorten(', '.join(self.names))})"
        )


def read_header(path: Path, stream: TextIO, columns: DataSettings) -> Header:
    """Return the header at the start of `stream`, which is left at the start again.

    The delimiter is the one of `DELIMITERS` under which the most wanted columns are
    found, then the most columns. Raises DataError if one is missing or there twice.
    """
    wanted = [name for name in (columns.text_column, columns.label_column, columns.source_column) if name]
    headers = [(delimiter, read_names(stream, delimiter)) for delimiter in DELIMITERS]
    delimiter, names = max(headers, key=lambda header: (len(set(wanted) & set(header[1])), len(header[1])))
    faults = []
    for key in ("text_column", "label_column", "source_column"):
        name = getattr(columns, key)
        if name and names.count(name) != 1:
            faults.append(explain_column(names, name, key))
    if columns.text_column == columns.label_column:
        faults.append(f'text and label are both read from "{columns.text_column}". Expected two columns.')
    if faults:
        raise DataError("\n".join(f"{path}: {fault}" for fault in faults))
    return Header(
        delimiter=delimiter,
        names=names,
        text=names.index(columns.text_column),
        label=names.index(columns.label_column),
        source=names.index(columns.source_column) if columns.source_column else None,
    )


def read_names(stream: TextIO, delimiter: str) -> List[str]:
    """Return the header's fields, none if they cannot be parsed."""
    stream.seek(0)
    try:
        names = next(csv.reader(stream, delimiter=delimiter), [])
    except csv.Error:
        names = []
    stream.seek(0)
    return [fold_text(printable(name)) for name in names]


def printable(name: str) -> str:
    """Return the name with the bytes that are not UTF-8 replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def explain_column(names: List[str], name: str, key: str) -> str:
    if name in names:
        return f'has {names.count(name)} columns "{name}" (data.{key}). Expected one. Rename the others.'
    close = difflib.get_close_matches(name.lower(), [found.lower() for found in names], n=1)
    like = next((found for found in names if close and found.lower() == close[0]), "")
    meant = f' Perhaps you meant "{like}".' if like else ""
    found = ", ".join(f'"{column}"' for column in names) or "none"
    example = like or "the column's name"
    return (
        f'has no column "{name}" (data.{key}). Found: {shorten(found)}.{meant}\n'
        f'Set {key} = "{example}" under [data] in esteira.toml, or ESTEIRA_DATA_{key.upper()}="{example}".'
    )


def shorten(text: str, length: int = 400) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
