"""Reading a user's CSV: found columns, physical line numbers, faults by line."""

import csv
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, TextIO

from esteira.data.faults import Faults
from esteira.data.header import Header, read_header
from esteira.data.rows import Row, fold_name, fold_text
from esteira.errors import DataError
from esteira.settings import DataSettings

NO_SOURCE = "all"
BLANK_SOURCE = "unknown"
# Python's csv module and CsvExampleGen, which uses it, read no longer field than this.
FIELD_LIMIT = 131_072
EXPECTED = "Expected a CSV file with a header and rows, as in DATA=file.csv."
NOT_UTF8 = "is not UTF-8: the byte 0x{:02x} (if the file is Windows-1252: iconv -f CP1252 -t UTF-8)"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Record(NamedTuple):
    """The fields of one CSV record and the physical line, from 1, where it starts."""

    line: int
    fields: List[str]


class CsvFile:
    """The rows of a CSV file, checked as they are read.

    `blank` counts the rows that were dropped for having no text.
    """

    def __init__(self, path: Path, columns: DataSettings) -> None:
        check_file(path)
        self.path = path
        self.blank = 0
        self._columns = columns

    def rows(self) -> Iterator[Row]:
        """Yield the rows; at the end raise DataError if some could not be used.

        What was yielded before is then of no use. Raises DataError at once if the
        header lacks a column.
        """
        faults = Faults(self.path)
        with open_csv(self.path) as stream:
            header = read_header(self.path, stream, self._columns)
            for record in read_records(stream, header.delimiter, faults):
                yield from self._check(record, header, faults)
        faults.raise_if_any()

    def _check(self, record: Record, header: Header, faults: Faults) -> Iterator[Row]:
        if len(record.fields) != len(header.names):
            faults.add(record.line, header.wrong_count(len(record.fields)))
            return
        text = fold_text(record.fields[header.text])
        label = fold_name(record.fields[header.label], self._columns.label_column)
        if not text:
            self.blank += 1
        elif not label:
            faults.add(record.line, f'the label, column "{self._columns.label_column}", is blank')
        else:
            yield Row(text, label, self._source(record, header), text)

    def _source(self, record: Record, header: Header) -> str:
        if header.source is None:
            return NO_SOURCE
        return fold_name(record.fields[header.source], self._columns.source_column) or BLANK_SOURCE


def check_file(path: Path) -> None:
    """Raise DataError unless `path` is a file with bytes in it that can be UTF-8."""
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "is no regular file" if path.exists() else "no such file"
        raise DataError(f"{path}: {kind}. {EXPECTED}")
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}. {EXPECTED}") from None
    if not start:
        raise DataError(f"{path}: is empty. {EXPECTED}")
    if start.startswith(UTF16_MARKS):
        raise DataError(f"{path}: is UTF-16. Expected UTF-8. Run: iconv -f UTF-16 -t UTF-8 {path} > utf8.csv")


def open_csv(path: Path) -> TextIO:
    """Open for csv: line ends as they are, bytes that are not UTF-8 as lone surrogates."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def read_records(stream: Iterable[str], delimiter: str, faults: Faults) -> Iterator[Record]:
    """Yield each record that is not an empty line; records that cannot be parsed become faults."""
    reader = csv.reader(checked_lines(stream, faults), delimiter=delimiter, strict=True)
    header = True
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.add(line, explain(error))
            continue
        if fields and not header:
            yield Record(line, fields)
        header = False


def checked_lines(stream: Iterable[str], faults: Faults) -> Iterator[str]:
    """Yield physical lines; NUL and bytes that are not UTF-8 become faults and are taken out."""
    for number, line in enumerate(stream, start=1):
        if "\0" in line:
            faults.add(number, "holds a NUL byte")
            line = line.replace("\0", "")
        if not line.isascii() and not is_utf8(line):
            faults.add(number, NOT_UTF8.format(first_stray_byte(line)))
            line = line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        yield line


def is_utf8(line: str) -> bool:
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def first_stray_byte(line: str) -> int:
    return next(ord(character) - 0xDC00 for character in line if "\udc80" <= character <= "\udcff")


# What the csv module says, and what it means for a file.
EXPLANATIONS: Dict[str, str] = {
    "unexpected end of data": 'a quote (") is opened and never closed',
    "field larger than field limit": f"a field has over {FIELD_LIMIT:,} characters; is a quote not closed?",
    "expected after": 'a closing quote (") is followed by text; write a quote within quotes twice ("")',
}


def explain(error: csv.Error) -> str:
    return next((text for part, text in EXPLANATIONS.items() if part in str(error)), str(error))
