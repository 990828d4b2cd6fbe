"""What a rehearsal asks of the request log: that it has what was asked, views answer, truth counts, it forgets."""

import csv
import json
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Tuple

from esteira.errors import WarehouseError
from esteira.local.cloud.project import Project

LOGGED = "SELECT CAST(request_id AS HUGEINT), row_number, label FROM {dataset}.requests WHERE label IS NOT NULL"
ASKED = "I love this film"
LANDS_S = 30.0
# Runs an Invoke task with variables, and returns its exit code and what it printed.
Run = Callable[[str, Mapping[str, str]], Tuple[int, str]]


def faults_of_log(project: Project, dataset: str, folder: Path, run: Run) -> List[str]:
    """Ask, tell the truth about every request that was logged, as the model said it, and return what went wrong.

    The model must then be right in all of them.
    """
    code, message = run("predict", {"ESTEIRA_TEXT": ASKED})
    rows = logged_rows(project, dataset)
    if code or not rows:
        return [f"make predict: left with status {code}, and {len(rows)} of its requests in the view:\n{message}"]
    file = folder / "truths.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["request_id", "row_number", "label"])
        writer.writerows(rows)
    faults = []
    for task, also in (("views", {}), ("daily", {}), ("groundtruth", {"ESTEIRA_FILE": str(file)})):
        code, message = run(task, also)
        faults += [f"make {task} left with status {code}:\n{message}"] if code else []
    code, message = run("accuracy", {"ESTEIRA_FORMAT": "json"})
    if code or not is_right(message, len(rows)):
        faults.append(f"make accuracy: expected that {len(rows)} of {len(rows)} answers are right, got:\n{message}")
    return faults + faults_of_erasing(project, str(rows[0][0]), run)


def logged_rows(project: Project, dataset: str) -> List[Any]:
    """Return what the view tells of requests, once it does, or nothing after LANDS_S."""
    limit_s = time.monotonic() + LANDS_S
    sql = LOGGED.format(dataset=dataset)
    while True:
        rows = project.administration.warehouse.rows.run(sql, {}, is_read=True).rows
        if rows or time.monotonic() > limit_s:
            return rows
        time.sleep(0.1)


def faults_of_erasing(project: Project, request_id: str, run: Run) -> List[str]:
    """Erase a request, which has to wait at first, and return what went wrong."""
    buffer, also = project.administration.warehouse.buffer, {"ESTEIRA_REQUEST": request_id, "ESTEIRA_YES": "1"}
    faults = []
    code, message = run("erase", also)
    if code != WarehouseError.exit_code or f"make erase REQUEST={request_id} ENV=" not in message:
        faults.append(f"make erase: expected that it waits for what was just streamed, got status {code}:\n{message}")
    held_s, buffer.held_s = buffer.held_s, 0.0
    code, message = run("erase", also)
    buffer.held_s = held_s
    if code or "Erased 1 requests." not in message:
        faults.append(f"make erase: left with status {code}, expected that a request is erased:\n{message}")
    return faults


def is_right(message: str, count: int) -> bool:
    """Return whether the rows of the view accuracy say that all of `count` answers are right."""
    try:
        found: List[Dict[str, Any]] = json.loads(message[message.find("[") :])
        return sum(row["correct"] for row in found) == count and all(row["accuracy"] == 1 for row in found)
    except (ValueError, KeyError, TypeError):
        return False
