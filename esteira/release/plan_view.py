"""A plan as people and scripts read it."""

from typing import TYPE_CHECKING, Iterator, List, Tuple, Union

from esteira.formats import check_format
from esteira.release.changes import Change, describe_change, shorten
from esteira.release.plan import Plan
from esteira.release.plan_markdown import plan_markdown

if TYPE_CHECKING:
    from rich.console import Group

FORMATS = ("table", "json", "markdown", "word")
COLUMNS = ("part", "deployed", "here", "takes", "what changed")
# Of each part's changes so many are shown in a table.
SHOWN_CHANGES = 8

NEXT = {
    "none": "Nothing to deploy. To run it again all the same: make deploy FORCE=1",
    "partial": "Next: make deploy, which builds no image and compiles nothing",
    "full": "Next: make deploy",
}


def show_plan(plan: Plan, format: str) -> "Union[str, Group]":
    """Return the plan as a table with its reasons, as JSON, as Markdown, or as its kind in one word.

    Raises SettingsError for another format.
    """
    check_format(format, "make plan", FORMATS)
    if format == "word":
        return plan.kind
    if format == "json":
        return plan.json(indent=2, sort_keys=True)
    if format == "markdown":
        return plan_markdown(plan)
    return plan_table(plan)


def plan_table(plan: Plan) -> "Group":
    """Return what a person wants to know: the kind, the reasons, what changed in each part, what to type."""
    from rich.console import Group
    from rich.text import Text

    from esteira.tables import make_table

    table = make_table(COLUMNS, map(table_row, plan.changes))
    above, below = Text("\n".join(heading(plan))), Text(f"\n{next_step(plan)}")
    return Group(above, Text(), table, below) if plan.changes else Group(above, below)


def table_row(change: Change) -> Tuple[str, ...]:
    what = "\n".join(cut(list(describe_change(change))))
    return change.part, shorten(change.old) or "-", shorten(change.new), change.kind, what


def heading(plan: Plan) -> Iterator[str]:
    what = f"commit {plan.commit[:7]}" if plan.commit else "no commit yet"
    yield f"{plan.kind}: {what}{' with changes' if plan.dirty else ''} against {deployed(plan)}"
    for reason in plan.reasons:
        yield f"everything, as {reason}"


def deployed(plan: Plan) -> str:
    if plan.base:
        return f"commit {plan.base[:7]}, if that is what is deployed"
    return f"release {plan.parent}" if plan.parent else "no release"


def next_step(plan: Plan) -> str:
    if plan.older and plan.kind != "none":
        return (
            "The deployed commit is newer than this one, so that a deploy would bring back an older state.\n"
            "To go back to a release: make rollback    To deploy this all the same: make deploy FORCE=1"
        )
    return NEXT[plan.kind]


def cut(lines: List[str]) -> List[str]:
    """Return the first lines and how many more there are."""
    more = len(lines) - SHOWN_CHANGES
    return lines if more <= 1 else [*lines[:SHOWN_CHANGES], f"and {more:,} more"]
