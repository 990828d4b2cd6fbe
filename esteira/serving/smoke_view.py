"""The checks of a smoke test as a table for people, and as JSON."""

from typing import Any, Dict

from rich.console import Group, RenderableType
from rich.text import Text

from esteira.formats import shortened
from esteira.release.manifest import json_text
from esteira.serving.smoke import SmokeResult
from esteira.tables import make_table

LONGEST = 60


def smoke_table(result: SmokeResult) -> RenderableType:
    """Return ✓ or ✗ for each check, with what was expected and what was got, and how many failed."""
    rows = [
        (
            Text("✓", style="green") if check.passed else Text("✗", style="red"),
            shortened(check.name, LONGEST),
            shortened(check.expected, LONGEST),
            Text(shortened(check.observed, LONGEST), style="" if check.passed else "red"),
        )
        for check in result.checks
    ]
    failed = len(result.failed)
    verdict = f"{failed} of" if failed else "all"
    told = Text(f"{verdict} {len(result.checks)} checks {'failed' if failed else 'passed'}")
    told.stylize("red" if failed else "green")
    return Group(make_table(["", "check", "expected", "got"], rows), "", told)


def smoke_json(result: SmokeResult) -> str:
    checks = [
        {"name": check.name, "passed": check.passed, "expected": check.expected, "got": check.observed}
        for check in result.checks
    ]
    value: Dict[str, Any] = {"passed": not result.failed, "checks": checks}
    return json_text(value).rstrip("\n")
