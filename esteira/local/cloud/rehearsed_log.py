"""What a rehearsal asks of the request log: that what was asked is in it, that its views answer, that truth counts."""

import csv
import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Tuple

from esteira.local.cloud.project import Project

LOGGED = "SELECT CAST(request_id AS HUGEINT), row_number, label FROM {dataset}.requests WHERE label IS NOT NULL"
# Runs an Invoke task with variables, and returns its exit code and what it printed.
Run = Callable[[str, Mapping[str, str]], Tuple[int, str]]


def faults_of_log(project: Project, dataset: str, folder: Path, run: Run) -> List[str]:
    """Tell the truth about every request that was logged, as the model said it, and return what went wrong.

    The model must then be right in all of them.
    """
    rows = project.administration.warehouse.rows.run(LOGGED.format(dataset=dataset), {}, is_read=True).rows
    if not rows:
        return ["request log: the view requests has no row with a label after a deploy that proved one"]
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
    return faults


def is_right(message: str, count: int) -> bool:
    """Return whether the rows of the view accuracy say that all of `count` answers are right."""
    try:
        found: List[Dict[str, Any]] = json.loads(message[message.find("[") :])
        return sum(row["correct"] for row in found) == count and all(row["accuracy"] == 1 for row in found)
    except (ValueError, KeyError, TypeError):
        return False
