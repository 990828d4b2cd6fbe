"""What a check of `make doctor` finds."""

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence

from rich.table import Table
from rich.text import Text

from esteira.errors import GoogleError
from esteira.google.refusals import OTHER_PROJECT, RefusedError, concerns_login
from esteira.tables import Cell, make_table

AT_ONCE = 12
CREDENTIALS = "credentials"
MARKS = {True: Text("✓", style="green"), False: Text("✗", style="red"), None: Text("?", style="yellow")}


class Finding(NamedTuple):
    """A check's name, whether all is well (None: it could not be checked), what was found, and what to do."""

    name: str
    good: Optional[bool]
    said: str
    remedy: str = ""


Check = Callable[[], Iterable[Finding]]


def run_checks(checks: Sequence[Check]) -> List[Finding]:
    """Return what the checks find, in their order and each thing once; they run at the same time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = [finding for found in pool.map(lambda check: list(check()), checks) for finding in found]
    return list(dict.fromkeys(found))


def failed(name: str, error: GoogleError) -> Finding:
    """Return the finding that a refusal is: its first line, and what to do.

    Credentials that are of no use fail everything, and are one finding: the same whatever was asked.
    """
    said, _, remedy = str(error).partition("\n")
    if not concerns_login(error):
        return Finding(name, False, said, remedy)
    if error.reason == OTHER_PROJECT:
        said, _, remedy = remedy.partition(". ")
        return Finding(CREDENTIALS, False, said, remedy)
    return Finding(CREDENTIALS, False, error.said if isinstance(error, RefusedError) else said, remedy)


def findings_table(findings: Sequence[Finding]) -> Table:
    rows: List[Sequence[Cell]] = [(MARKS[each.good], each.name, each.said, each.remedy) for each in findings]
    return make_table(["", "check", "found", "what to do"], rows)
