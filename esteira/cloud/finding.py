"""What a check of `make doctor` finds."""

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence

from rich.table import Table
from rich.text import Text

from esteira.errors import GoogleError
from esteira.tables import Cell, make_table

AT_ONCE = 12
MARKS = {True: Text("✓", style="green"), False: Text("✗", style="red"), None: Text("?", style="yellow")}


class Finding(NamedTuple):
    """A check's name, whether all is well (None: it could not be checked), what was found, and what to do."""

    name: str
    good: Optional[bool]
    said: str
    remedy: str = ""


Check = Callable[[], Iterable[Finding]]


def run_checks(checks: Sequence[Check]) -> List[Finding]:
    """Return what the checks find, in their order; they run at the same time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [finding for found in pool.map(lambda check: list(check()), checks) for finding in found]


def failed(name: str, error: GoogleError) -> Finding:
    """Return the finding that a refusal is: its first line, and what to do."""
    said, _, remedy = str(error).partition("\n")
    return Finding(name, False, said, remedy)


def findings_table(findings: Sequence[Finding]) -> Table:
    rows: List[Sequence[Cell]] = [(MARKS[each.good], each.name, each.said, each.remedy) for each in findings]
    return make_table(["", "check", "found", "what to do"], rows)
