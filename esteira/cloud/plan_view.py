"""A plan as people and programs read it."""

import json
from typing import List, Sequence, Union

from rich.console import Group
from rich.table import Table
from rich.text import Text

from esteira.cloud.plan import Plan
from esteira.cloud.row import Row
from esteira.formats import check_format
from esteira.tables import Cell, make_table

MARKS = {"missing": "+", "different": "~", "superfluous": "-", "ok": "✓"}
STYLES = {"missing": "green", "different": "yellow", "superfluous": "red", "ok": "dim"}


def show_plan(plan: Plan, format: str) -> Union[str, Group]:
    """Return all rows as a table, or as JSON. Raises SettingsError for another format."""
    check_format(format, "make cloud-plan")
    if format == "json":
        rows = [row.as_json() for row in plan.rows]
        return json.dumps({"project_number": plan.enabled.number, "rows": rows}, indent=2)
    return Group(rows_table(plan.rows), Text(""), Text(summary(plan)))


def rows_table(rows: List[Row]) -> Table:
    """Return rows as a table: how each stands, what it is, what differs or why it is needed."""
    cells: List[Sequence[Cell]] = []
    for row in rows:
        said = "; ".join(text for text in (row.detail, row.remedy) if text) or row.why
        cells.append([Text(f"{MARKS[row.state]} {row.state}", style=STYLES[row.state]), row.kind, row.name, said])
    return make_table(["", "kind", "name", "what"], cells)


def summary(plan: Plan) -> str:
    """Return how many rows there are of each kind, and what is to be done."""
    counts = {state: sum(row.state == state for row in plan.rows) for state in MARKS}
    said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    persons = len(plan.left) + len(plan.wrong)
    hand = f" {persons} of them only by hand, as the table says." if persons else ""
    return f"{said}.{hand}" if plan.to_do or persons else f"{said}. Nothing to do."
