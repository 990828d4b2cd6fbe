"""The rows that a model is to be asked about: a CSV, JSON lines, or a text a line, read as a stream."""

import csv
import io
import itertools
import json
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional

from esteira.data.csv_file import NOT_UTF8, UTF16_MARKS, explain, first_stray_byte, is_utf8
from esteira.data.faults import Faults
from esteira.data.header import DELIMITER_NAMES, DELIMITERS, printable, shorten
from esteira.errors import DataError
from esteira.serving.cells import CellError, read_cell, read_text
from esteira.serving.interface import Tensor
from esteira.visible import visible

STDIN = "-"
FORMS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".ndjson": "json", ".json": "json", ".txt": "text"}
EXPECTED = (
    "Expected a CSV with a header (.csv, .tsv), JSON lines (.jsonl, .ndjson, .json) or a text a line (.txt).\n"
    "For example: make predict FILE=texts.csv"
)

Inputs = Mapping[str, Tensor]


class AskedRow(NamedTuple):
    """A row as it was given, by its columns or keys, and what the model is asked; `line` is where it begins, from 1."""

    line: int
    fields: Dict[str, Any]
    instance: Dict[str, Any]


class Source(NamedTuple):
    """Where rows are read from: what messages call it, its bytes, and its form, "" for what its first line is."""

    name: str
    stream: BinaryIO
    form: str


class RowFaults(Faults):
    """Tells of each row that cannot be used as it is met, at most `shown`, and counts all."""

    def __init__(self, name: str, say: Callable[[str], None], shown: int = 20) -> None:
        super().__init__(Path(name))
        self.name = name
        self.count = 0
        self._say = say
        self._shown = shown

    def add(self, line: int, fault: str) -> None:
        self.count += 1
        if self.count <= self._shown:
            self._say(visible(f"{self.name}:{line}: {fault}"))
        elif self.count == self._shown + 1:
            self._say(f"{self.name}: more such rows follow, which are only counted")


def open_source(file: str, stdin: BinaryIO) -> Source:
    """Return the file's rows, "-" for those of standard input. Raises DataError if there is no such file."""
    if file == STDIN:
        return Source("stdin", stdin, "")
    path = Path(file).expanduser()
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "is no regular file" if path.exists() else "no such file"
        raise DataError(f"FILE={file}: {kind}. {EXPECTED}")
    try:
        stream = path.open("rb")
        if not path.stat().st_size:
            raise DataError(f"FILE={file}: is empty. {EXPECTED}")
    except OSError as error:
        raise DataError(f"FILE={file}: cannot be read: {error.strerror}. {EXPECTED}") from None
    return Source(file, stream, FORMS.get(path.suffix.lower(), ""))


def read_rows(source: Source, inputs: Inputs, text_column: str, faults: Faults) -> Iterator[AskedRow]:
    """Yield the rows; one that cannot be used becomes a fault.

    The text of a model that takes one text is read from `text_column`, else from what its input is called; a model
    with other inputs gets the columns or keys that bear their names.
    Raises DataError if the source is empty, or its header lacks a column.
    """
    stream = io.TextIOWrapper(source.stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    first = next(stream, "")
    if not first:
        raise DataError(f"{source.name}: is empty. {EXPECTED}")
    if first.encode("utf-8", "surrogateescape").startswith(UTF16_MARKS):
        raise DataError(f"{source.name}: is UTF-16. Expected UTF-8. Run: iconv -f UTF-16 -t UTF-8 IN > OUT")
    lines = itertools.chain([first], stream)
    form = source.form or form_of(first, text_column)
    if form == "csv":
        return read_csv(source.name, first, lines, inputs, text_column, faults)
    if form == "json":
        return read_json_lines(lines, inputs, text_column, faults)
    if not is_text_model(inputs):
        takes = wanted(inputs, text_column)
        raise DataError(f"{source.name}: is a text a line, and the model takes {takes}. Expected a CSV.")
    return read_texts(lines, next(iter(inputs)), text_column, faults)


def form_of(first: str, text_column: str) -> str:
    """Return the form that a first line is of: JSON lines begin with an object or a text, other than a header's."""
    try:
        value = json.loads(first)
    except ValueError:
        return "csv"
    return "json" if isinstance(value, (dict, str)) and value != text_column else "csv"


def columns_of(inputs: Inputs, known: Iterable[str], text_column: str) -> Optional[Dict[str, str]]:
    """Return which column each input is read from, None if one is missing."""
    names = set(known)
    if is_text_model(inputs) and text_column in names:
        return {name: text_column for name in inputs}
    return {name: name for name in inputs} if set(inputs) <= names else None


def is_text_model(inputs: Inputs) -> bool:
    return len(inputs) == 1 and all(tensor.is_text for tensor in inputs.values())


def wanted(inputs: Inputs, text_column: str) -> str:
    names = [text_column] if is_text_model(inputs) else sorted(inputs)
    return ", ".join(f'"{name}"' for name in names)


def read_csv(
    name: str, first: str, lines: Iterable[str], inputs: Inputs, text_column: str, faults: Faults
) -> Iterator[AskedRow]:
    headers = [(delimiter, header_of(first, delimiter)) for delimiter in DELIMITERS]
    found = {delimiter: columns_of(inputs, header, text_column) for delimiter, header in headers}
    delimiter, header = max(headers, key=lambda one: (found[one[0]] is not None, len(one[1])))
    columns = found[delimiter]
    if columns is None:
        raise DataError(lacking(name, header, inputs, text_column))
    if len(set(header)) < len(header):
        twice = next(column for column in header if header.count(column) > 1)
        raise DataError(
            f'{name}: has {header.count(twice)} columns "{visible(twice)}". Expected one. Rename the others.'
        )
    return csv_rows(lines, delimiter, header, inputs, columns, faults)


def csv_rows(
    lines: Iterable[str], delimiter: str, header: List[str], inputs: Inputs, columns: Dict[str, str], faults: Faults
) -> Iterator[AskedRow]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    next(reader)
    while True:
        number = reader.line_num + 1
        try:
            fields = next(reader)
            if not fields:
                continue
            row = read_record(fields, delimiter, header)
            instance = {name: read_cell(row[column], inputs[name], column) for name, column in columns.items()}
        except StopIteration:
            return
        except csv.Error as error:
            faults.add(number, explain(error))
        except CellError as error:
            faults.add(number, str(error))
        else:
            yield AskedRow(number, row, instance)


def read_record(fields: List[str], delimiter: str, header: List[str]) -> Dict[str, Any]:
    """Return the fields by their columns. Raises CellError."""
    check_utf8("".join(fields))
    if len(fields) != len(header):
        count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
        parted = f"parted by {DELIMITER_NAMES[delimiter]} ({shorten(', '.join(header))})"
        raise CellError(f"has {count}, expected {len(header)} {parted}. Quote or mend the row")
    return dict(zip(header, fields))


def check_utf8(text: str) -> None:
    """Raise CellError for bytes that are not UTF-8, which were read as lone surrogates."""
    if not text.isascii() and not is_utf8(text):
        raise CellError(NOT_UTF8.format(first_stray_byte(text)))


def header_of(first: str, delimiter: str) -> List[str]:
    try:
        return [printable(name).strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    except csv.Error:
        return []


def lacking(name: str, header: List[str], inputs: Inputs, text_column: str) -> str:
    """Return what is said of a CSV that lacks a column: a text a line has no header at all."""
    found = visible(shorten(", ".join(f'"{column}"' for column in header) or "none"))
    said = f"{name}: has no column {wanted(inputs, text_column)}. Its first line is taken as the header: {found}.\n"
    if not is_text_model(inputs):
        return f"{said}Expected a column for each input of the model."
    if len(header) == 1:
        return (
            f"{said}A text a line, without a header, is read from a file with the ending .txt: "
            "make predict FILE=texts.txt\nOf a column with another name: ESTEIRA_DATA_TEXT_COLUMN=name make predict"
        )
    return f"{said}Rename the column, or say which it is: ESTEIRA_DATA_TEXT_COLUMN=name make predict"


def read_json_lines(lines: Iterable[str], inputs: Inputs, text_column: str, faults: Faults) -> Iterator[AskedRow]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            check_utf8(line)
            row = read_object(line, inputs, text_column)
            columns = columns_of(inputs, row, text_column)
            if columns is None:
                keys = shorten(", ".join(f'"{key}"' for key in row) or "none", 100)
                raise CellError(f"has no {wanted(inputs, text_column)}; its keys are: {keys}")
            instance = {
                name: read_text(row[key], key) if inputs[name].is_text else row[key] for name, key in columns.items()
            }
        except CellError as error:
            faults.add(number, str(error))
            continue
        yield AskedRow(number, row, instance)


def read_object(line: str, inputs: Inputs, text_column: str) -> Dict[str, Any]:
    """Return the object in a line; a text alone is the text of a model that takes one. Raises CellError."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        place = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise CellError(
            f'is no JSON{place}. Expected an object a line such as {{"{text_column}": "..."}}; of a list: jq -c ".[]"'
        ) from None
    if isinstance(value, str) and is_text_model(inputs):
        return {text_column: value}
    if not isinstance(value, dict):
        raise CellError(f'is {type(value).__name__} in JSON. Expected an object such as {{"{text_column}": "..."}}')
    return value


def read_texts(lines: Iterable[str], input_name: str, text_column: str, faults: Faults) -> Iterator[AskedRow]:
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        try:
            check_utf8(text)
        except CellError as error:
            faults.add(number, str(error))
        else:
            if text.strip():
                yield AskedRow(number, {text_column: text}, {input_name: text})
