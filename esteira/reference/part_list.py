"""parts.md: the parts of a release, as esteira/release/partition.py has them."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

from esteira.reference.faults import Faults
from esteira.release.inputs import CLOUD_SECTIONS
from esteira.release.manifest import PARTS
from esteira.release.partition import CSV, CSV_COLUMNS, DEFAULT_DATA, ENCODER, NO_CODE, PARTITION, Rule, left_behind
from esteira.release.parts import PREFIXES

# What values that no setting holds are, and where the content of a part lies that has no prefix of its own.
VALUES = {CSV: "the content of the CSV, where one is trained on", ENCODER: "the files of a local encoder"}
PLACES = {"image": "the registry", "settings": "nowhere: what was in force stands in `inputs/`"}
LEFT = "hidden files, backups and byte code"


def parts_page(root: Path) -> Dict[str, Any]:
    """Return what the page is made of; TemplateError for a part that is not described or has no place."""
    faults = Faults()
    for part, rule in PARTITION.items():
        faults.expect(rule.what, f"esteira/release/partition.py: {part}", "what it is, behind the kind of its Rule")
        if part not in PREFIXES:
            faults.expect(PLACES.get(part, ""), f"esteira/reference/part_list.py: PLACES: {part}", "where it lies")
    faults.check()
    return {"parts": {part: part_row(part, PARTITION[part]) for part in PARTS}}


def part_row(part: str, rule: Rule) -> Dict[str, Any]:
    but, leaves = without_left_behind(rule)
    return {
        "what": rule.what,
        "kind": rule.kind,
        "files": [(path, "where no CSV is trained on" if path in DEFAULT_DATA else "") for path in rule.files],
        "values": [value_row(value) for value in rule.values],
        "but": [as_settings(name) for name in but],
        "left": LEFT if leaves else "",
        "place": f"`{PREFIXES[part]}/<digest>/`" if part in PREFIXES else PLACES[part],
    }


def without_left_behind(rule: Rule) -> Tuple[List[str], bool]:
    """Return what a rule leaves out by name, and whether it leaves out what editors and Python leave behind."""
    left = {*NO_CODE, *left_behind("modules")}
    return [path for path in rule.but if path not in left], bool(left & set(rule.but))


def value_row(value: str) -> Tuple[str, str]:
    """Return a value's name, "" if it is no setting's, and when it counts, or what it is."""
    if value in VALUES:
        return "", VALUES[value]
    section = value.partition(".")[0]
    when = "in Google Cloud" if section in (*CLOUD_SECTIONS, "environment") else ""
    if value == "data.*":
        when = f"{', '.join(f'`{column}`' for column in CSV_COLUMNS)} where a CSV is trained on"
    return as_settings(value), when


def as_settings(name: str) -> str:
    """Return a name as esteira.toml has it: the chosen environment's table is one of several there."""
    return name.replace("environment.", "environments.NAME.")
