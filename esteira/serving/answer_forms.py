"""The forms that answers are written in: a table for people, JSON lines and CSV for programs."""

import csv
import json
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, TextIO, Tuple

from typing_extensions import Protocol

from esteira.serving.ask_rows import AnsweredRow
from esteira.visible import visible

PREDICTION = "prediction"
# What the request log knows a row by; a row's own column of such a name gives way.
REQUEST_ID, ROW_NUMBER, VERSION, RELEASE = "request_id", "row_number", "model_version", "release_id"
# Of a prediction's outputs, what people look for first.
FIRST = ("label", "confidence")
# Rows that a table holds before it is printed.
BLOCK = 500

# The names of the classes of the model that answered a row.
Labels = Callable[[AnsweredRow], Optional[Sequence[str]]]
Record = Dict[str, Any]


class Form(Protocol):
    """Writes rows as they come; `end` writes what is still held."""

    def write(self, one: AnsweredRow) -> None:
        """Write a row."""

    def end(self) -> None:
        """Called once after the last row, or where there comes no other one."""


def make_form(name: str, out: TextIO, labels: Labels, inputs: Sequence[str]) -> Form:
    """Return what writes the form `name`: table, json or csv."""
    if name == "table":
        return TableForm(out, labels, inputs)
    if name == "csv":
        return CsvForm(out, labels)
    return JsonForm(out, labels)


def read_record(one: AnsweredRow, labels: Labels) -> Record:
    """Return a row as it was given, with its prediction and what the request log knows it by."""
    answered = one.answered
    return {
        **one.row.fields,
        PREDICTION: named_prediction(answered.predictions[one.number], labels(one)),
        REQUEST_ID: answered.request_id or None,
        ROW_NUMBER: one.number,
        VERSION: answered.version or None,
        RELEASE: answered.release or None,
    }


def named_prediction(prediction: Any, labels: Optional[Sequence[str]]) -> Any:
    """Return a prediction, its label and confidence first, its probabilities by label where those are known."""
    if not isinstance(prediction, dict):
        return prediction
    ordered = dict(sorted(prediction.items(), key=place_of))
    probabilities = ordered.get("probabilities")
    if labels is not None and isinstance(probabilities, list) and len(probabilities) == len(labels):
        ordered["probabilities"] = dict(zip(labels, probabilities))
    return ordered


def place_of(output: Tuple[str, Any]) -> int:
    return FIRST.index(output[0]) if output[0] in FIRST else len(FIRST)


class JsonForm:
    """An object a line."""

    def __init__(self, out: TextIO, labels: Labels) -> None:
        self._out = out
        self._labels = labels

    def write(self, one: AnsweredRow) -> None:
        self._out.write(json_line(read_record(one, self._labels)) + "\n")

    def end(self) -> None:
        self._out.flush()


def json_line(value: Any) -> str:
    """Return JSON that is as readable as UTF-8 allows: half a surrogate pair is written as JSON escapes it."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


class CsvForm:
    """The columns of the first row, then prediction.label and so on; a later row's other keys are left out."""

    def __init__(self, out: TextIO, labels: Labels) -> None:
        self._out = out
        self._labels = labels
        self._writer: Optional[csv.DictWriter[str]] = None

    def write(self, one: AnsweredRow) -> None:
        row = {name: cell(value) for name, value in flat(read_record(one, self._labels))}
        if self._writer is None:
            self._writer = csv.DictWriter(self._out, list(row), extrasaction="ignore", lineterminator="\n")
            self._writer.writeheader()
        self._writer.writerow(row)

    def end(self) -> None:
        self._out.flush()


def flat(record: Record) -> Iterator[Tuple[str, Any]]:
    """Yield a record's values, those of its prediction by a path such as prediction.probabilities.positive."""
    for name, value in record.items():
        if name == PREDICTION:
            yield from paths(name, value)
        else:
            yield name, value


def paths(name: str, value: Any) -> Iterator[Tuple[str, Any]]:
    if not isinstance(value, dict):
        yield name, value
        return
    for key, below in value.items():
        yield from paths(f"{name}.{key}", below)


def cell(value: Any) -> str:
    if value is None:
        return ""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else json_line(value)


class TableForm:
    """What the model was asked, and what it said: as a table for each few hundred rows."""

    def __init__(self, out: TextIO, labels: Labels, inputs: Sequence[str]) -> None:
        self._out = out
        self._labels = labels
        self._inputs = inputs
        self._rows: List[Record] = []

    def write(self, one: AnsweredRow) -> None:
        prediction = named_prediction(one.answered.predictions[one.number], self._labels(one))
        said = paths("", prediction if isinstance(prediction, dict) else {PREDICTION: prediction})
        outputs = {name.rpartition(".")[2]: value for name, value in said}
        self._rows.append({**{name: one.row.instance[name] for name in self._inputs}, **outputs})
        if len(self._rows) == BLOCK:
            self.end()

    def end(self) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        if not self._rows:
            return
        table = Table(box=None, pad_edge=False)
        columns = list(self._rows[0])
        for column in columns:
            # As Text, since a user's [b] is no markup.
            table.add_column(Text(visible(column)), overflow="fold")
        for row in self._rows:
            table.add_row(*(Text(shown(row.get(column))) for column in columns))
        console = Console(file=self._out, highlight=False, emoji=False)
        # Written here: rich would end the process where nobody reads it any more.
        with console.capture() as capture:
            console.print(table)
        self._out.write(capture.get())
        self._out.flush()
        self._rows = []


def shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return visible(value if isinstance(value, str) else json_line(value))
