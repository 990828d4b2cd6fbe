"""tables.md: the tables, views and queries of the request log, as the files in sql/ say."""

import json
import re
from pathlib import Path
from typing import Any, Dict, List

from esteira.monitoring.forms import FORMS
from esteira.reference.constants import constants_of
from esteira.reference.faults import Faults

FOLDER = "sql"
VIEWS = Path("esteira") / "monitoring" / "views.py"
SUFFIX = ".sql.j2"
KEYS = ("Purpose", "Parameters", "Result")
# The head of a template: lines of comments behind what tells how it is rendered.
COMMENT = re.compile(r"\A(?:\{#[^#]*#\}\s*)?((?:--.*\n)+)")
# Where a list of columns goes on with others, and not within brackets.
NEXT_COLUMN = re.compile(r"; (?![^(]*\))")
# A table that somebody may have from elsewhere; it is never made.
FOREIGN = {
    "ai_platform_log": "The form of AI Platform Prediction: the views read the table that `log.ai_platform` names"
}


def tables_page(root: Path) -> Dict[str, Any]:
    """Return what the page is made of; TemplateError for a column or a query without a description."""
    faults, views = Faults(), constants_of(root / VIEWS)
    tables = {path.stem: table_of(path, faults) for path in sorted((root / FOLDER).glob("*.json"))}
    order = [*FORMS, *(name for name in tables if name not in FORMS)]
    queries = {path.name[: -len(SUFFIX)]: head_of(path, faults) for path in sorted((root / FOLDER).glob(f"*{SUFFIX}"))}
    for query in queries.values():
        query["result"] = query["result"].replace("{{ unsure }}", str(views["UNSURE"]))
    faults.check()
    columns = {name: NEXT_COLUMN.split(query["result"].rstrip(".")) for name, query in queries.items()}
    return {
        "tables": {name: tables[name] for name in order},
        "views": {name: {**queries.pop(name), "columns": columns[name]} for name in views["VIEWS"]},
        "queries": queries,
    }


def table_of(path: Path, faults: Faults) -> Dict[str, Any]:
    """Return a table's columns, and what is known of it as a whole."""
    columns: List[Dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    for column in columns:
        place = f"{FOLDER}/{path.name}: {column['name']}"
        faults.expect(column.get("description", ""), place, '"description": "what it holds"')
    form = FORMS.get(path.stem)
    about = form.why if form else FOREIGN.get(path.stem, "")
    faults.expect(about, f"{FOLDER}/{path.name}", "what it is for, in FORMS of esteira/monitoring/forms.py")
    return {"about": about, "columns": columns, "form": form}


def head_of(path: Path, faults: Faults) -> Dict[str, str]:
    """Return what the head of a query says, by KEYS; "" for what it does not say."""
    text = COMMENT.match(path.read_text(encoding="utf-8"))
    lines = [line[2:].strip() for line in (text.group(1) if text else "").splitlines()]
    said: Dict[str, str] = {}
    for line in lines:
        key, colon, rest = line.partition(": ")
        if colon and key in KEYS:
            said[key] = rest
        elif said:
            last = list(said)[-1]
            said[last] = f"{said[last]} {line}"
    for key in KEYS:
        faults.expect(said.get(key, ""), f"{FOLDER}/{path.name}", f"a line that begins with -- {key}:")
    return {key.lower(): said.get(key, "") for key in KEYS}
