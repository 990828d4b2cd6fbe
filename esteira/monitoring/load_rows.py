"""`make load-log FILE=rows.jsonl`: rows of a request log as BigQuery exports them, one JSON object a line.

Of the request log itself, or of a table in AI Platform Prediction's form.
https://cloud.google.com/ai-platform/prediction/docs/online-predict#requesting_logs_for_online_prediction_requests
"""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from esteira.errors import WarehouseError
from esteira.monitoring.engine import Engine
from esteira.monitoring.row_values import read_value, shown
from esteira.monitoring.views import FOLDER
from esteira.monitoring.warehouse.tables import AI_PLATFORM, read_schema

REQUEST_LOG = "request_log"
# What a row must tell to be of any use, by form.
NEEDED = {REQUEST_LOG: ("logging_time", "request_payload"), AI_PLATFORM: ("model", "model_version", "time", "raw_data")}
MAX_FAULTS = 10


class Loaded(NamedTuple):
    """How many rows went into which table."""

    table: str
    rows: int


def load_rows(engine: Engine, file: Path, ai_platform: str) -> Loaded:
    """Append the file's rows to the table that their form belongs to: the log, or `ai_platform`, dataset.table.

    Raises WarehouseError that names every bad line, and writes nothing then.
    """
    form = form_of(file)
    if form == AI_PLATFORM and not ai_platform:
        raise WarehouseError(
            f"{file}: has rows in AI Platform's form, and no table is set for them.\n"
            'Expected dataset.table under [log] in esteira.toml, such as ai_platform = "esteira.ai_platform_log"'
        )
    schema = {column["name"]: column for column in read_schema(FOLDER.parent, form)}
    check_lines(file, form, schema)
    table = ai_platform if form == AI_PLATFORM else REQUEST_LOG
    return Loaded(table, engine.insert(table, read_rows(file, schema)))


def form_of(file: Path) -> str:
    """Return which form the file's first row has."""
    for _, line in lines_of(file):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            return AI_PLATFORM if "raw_data" in row else REQUEST_LOG
    raise WarehouseError(
        f"{file}: has no rows. Expected one JSON object a line, as BigQuery exports a table of requests: "
        "bq extract --destination_format=NEWLINE_DELIMITED_JSON"
    )


def lines_of(file: Path) -> Iterator[Tuple[int, bytes]]:
    """Yield the lines that are not empty, with their numbers."""
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise WarehouseError(
            f"FILE={file}: cannot be read: {error.strerror}. Expected a file with one JSON object a line."
        ) from None


def check_lines(file: Path, form: str, schema: Dict[str, Dict[str, Any]]) -> None:
    faults: List[str] = []
    count = 0
    for number, line in lines_of(file):
        try:
            read_row(line, schema, NEEDED[form])
        except ValueError as error:
            count += 1
            if len(faults) < MAX_FAULTS:
                faults.append(f"{file}:{number}: {error}")
    if faults:
        more = [f"and {count - len(faults)} more lines"] if count > len(faults) else []
        told = "\n".join(faults + more)
        raise WarehouseError(f"{told}\nExpected rows of {form} (sql/{form}.json). Nothing was loaded. Mend the lines.")


def read_rows(file: Path, schema: Dict[str, Dict[str, Any]]) -> Iterator[Dict[str, Any]]:
    for _, line in lines_of(file):
        yield read_row(line, schema, ())


def read_row(line: bytes, schema: Dict[str, Dict[str, Any]], needed: Tuple[str, ...]) -> Dict[str, Any]:
    """Return a line's row as it is. Raises ValueError if a value does not fit its column."""
    try:
        return checked_row(parsed(line), schema, needed)
    except RecursionError:
        raise ValueError("has too many lists or objects within each other") from None


def parsed(line: bytes) -> Dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8"))
    except ValueError as error:
        raise ValueError(f"is no JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f"expected an object, got {json.dumps(row)[:80]}")
    return row


def checked_row(row: Dict[str, Any], schema: Dict[str, Dict[str, Any]], needed: Tuple[str, ...]) -> Dict[str, Any]:
    missing = [name for name in needed if row.get(name) is None]
    if missing:
        raise ValueError(f"{missing[0]}: missing")
    for name, value in row.items():
        if name not in schema:
            raise ValueError(
                f"{name if name.isprintable() else shown(name)}: no such column; expected {', '.join(schema)}"
            )
        column = schema[name]
        try:
            read = read_value(value, column["type"], repeated=column.get("mode") == "REPEATED")
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        # As ids are asked for: make erase takes no others.
        if name == "request_id" and read is not None and read < 0:
            raise ValueError(f"{name}: expected a number from 0, got {shown(value)}")
    return row
