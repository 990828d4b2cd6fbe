"""What a logged request was in truth, told later: read from a file, and loaded beside the log."""

import csv
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

from esteira.errors import DataError
from esteira.monitoring.engine import Engine
from esteira.monitoring.row_values import NUMERIC_DIGITS, read_text, shown
from esteira.monitoring.views import read_models, render

COLUMNS = ("request_id", "label", "row_number")
EXPECTED = (
    "Expected a CSV file with the columns request_id, label and, for a request of several instances, row_number "
    "(from 0), or the same as JSON lines."
)
ID_PATTERN = re.compile(rf"\d{{1,{NUMERIC_DIGITS}}}\Z", re.ASCII)
ROW_PATTERN = re.compile(r"\d{1,9}\Z", re.ASCII)
MAX_TOLD = 20
# Ids of one query: BigQuery takes parameters up to 10 MB in a request.
BATCH = 10_000


@dataclass(frozen=True)
class Truth:
    """One instance's truth: `request_id` in decimal."""

    request_id: str
    row_number: int
    label: str


class Loaded(NamedTuple):
    """How many truths were loaded, of how many requests that are not in the log, and labels that no model gives."""

    truths: int
    unknown: int
    strange: Tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """Return a sentence about it."""
        some = f"; {self.unknown} of their requests are not in the log" if self.unknown else ""
        loaded = f"{self.truths} {'truth' if self.truths == 1 else 'truths'} loaded{some}."
        if not self.strange:
            return loaded
        named = ", ".join(shown(label) for label in self.strange[:MAX_TOLD])
        return f"{loaded}\nNo model gives these labels, so that it is wrong about their requests: {named}"


def load_ground_truth(engine: Engine, file: Path, now: Optional[datetime] = None) -> Loaded:
    """Load a CSV or JSON-lines file and return how many truths it has; of several for an instance the last one holds.

    A request that is not in the log is counted, and is no error: its row may be on its way. Raises DataError, which
    tells every bad line, before anything is written; and WarehouseError.
    """
    truths = last_of_each(read_truths(file))
    ids = sorted({truth.request_id for truth in truths})
    unknown = len(ids) - len(known_ids(engine, ids))
    given = (now or datetime.now(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    engine.insert("ground_truth", ({**vars(truth), "given_time": given} for truth in truths))
    return Loaded(len(truths), unknown, strange_labels(engine, truths))


def last_of_each(truths: List[Truth]) -> List[Truth]:
    return list({(truth.request_id, truth.row_number): truth for truth in truths}.values())


def strange_labels(engine: Engine, truths: List[Truth]) -> Tuple[str, ...]:
    """Return the labels that none of the models gives which have said what they give, in order."""
    given = {label for model in read_models(engine) for label in model.labels}
    return tuple(sorted({truth.label for truth in truths} - given)) if given else ()


def known_ids(engine: Engine, ids: List[str]) -> Set[str]:
    """Return those of the requests that are in the log."""
    sql = render("known_requests", engine.dataset)
    known: Set[str] = set()
    for start in range(0, len(ids), BATCH):
        rows = engine.query("look for the requests", sql, {"request_ids": ids[start : start + BATCH]})
        known.update(str(int(row["request_id"])) for row in rows)
    return known


def read_truths(file: Path) -> List[Truth]:
    """Return the truths of a file. Raises DataError that names each bad line."""
    truths, faults = [], []
    try:
        for line, found in read_lines(file):
            truth, fault = truth_of(found)
            if truth is not None:
                truths.append(truth)
            else:
                faults.append(f"{file}:{line}: {fault}")
    except FileNotFoundError:
        raise DataError(f"{file}: no such file. {EXPECTED}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read: {error}. {EXPECTED}") from None
    if not truths and not faults:
        raise DataError(f"{file}: holds no truth. {EXPECTED}")
    if faults:
        more = [f"… and {len(faults) - MAX_TOLD} lines more"] if len(faults) > MAX_TOLD else []
        told = "\n".join(faults[:MAX_TOLD] + more)
        raise DataError(
            f"{told}\n{EXPECTED}\nNothing was loaded. Mend the lines, then run: make groundtruth FILE={file}"
        )
    return truths


def read_lines(file: Path) -> Iterator[Tuple[int, Any]]:
    """Yield each line's number and what it holds: a mapping, or a text that says why it is none."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        first = next((character for character in iter(lambda: stream.read(1), "") if not character.isspace()), "")
        stream.seek(0)
        yield from (read_json_lines(stream) if first == "{" else read_csv(file, stream))


def read_json_lines(stream: Any) -> Iterator[Tuple[int, Any]]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            yield number, found if isinstance(found, dict) else f"is {json.dumps(found)[:80]}; expected an object"
        except ValueError as error:
            yield number, f"is not JSON: {error}"
        except RecursionError:
            yield number, "has too many lists or objects within each other"


def read_csv(file: Path, stream: Any) -> Iterator[Tuple[int, Any]]:
    reader = csv.DictReader(stream, strict=True)
    header = [name.strip() for name in reader.fieldnames or []]
    unknown = [name for name in header if name not in COLUMNS]
    missing = [name for name in COLUMNS[:2] if name not in header]
    if unknown or missing or len(set(header)) != len(header):
        raise DataError(f"{file}:1: the columns are {', '.join(header) or 'none'}. {EXPECTED}")
    reader.fieldnames = header
    for row in reader:
        yield reader.line_num, f"has more than {len(header)} columns" if None in row else row


def truth_of(found: Any) -> Tuple[Optional[Truth], str]:
    """Return a truth, or none and what is wrong."""
    if isinstance(found, str):
        return None, found
    unknown = sorted(set(found) - set(COLUMNS))
    if unknown:
        return None, f"{unknown[0] if unknown[0].isprintable() else shown(unknown[0])}: no such column"
    values = {name: text_of(found, name) for name in COLUMNS}
    row_number = values["row_number"] or "0"
    if not ID_PATTERN.match(values["request_id"]):
        return None, f"request_id is {shown(values['request_id'])}; expected a whole number"
    if not ROW_PATTERN.match(row_number):
        return None, f"row_number is {shown(row_number)}; expected a whole number from 0"
    if not values["label"]:
        return None, "label is empty or no text"
    try:
        read_text(values["label"])
    except ValueError as error:
        return None, f"label: {error}"
    return Truth(str(int(values["request_id"])), int(row_number), values["label"]), ""


def text_of(found: Mapping[str, Any], name: str) -> str:
    """Return a value as text; a label that is none is empty, and a number that is none stays what it was."""
    value: Any = found.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    is_number = isinstance(value, int) and not isinstance(value, bool) and name != "label"
    return str(value) if is_number else json.dumps(value) if name != "label" else ""
