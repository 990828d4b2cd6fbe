"""A plan as the summary of a job shows it, and any other page that takes Markdown."""

from typing import Iterator, List

from esteira.markdown import code, plain, table
from esteira.release.changes import Change, describe_change
from esteira.release.plan import Plan

COLUMNS = ("Part", "Takes", "What changed")
# Of each part's changes so many are shown.
SHOWN_CHANGES = 8

MEANS = {
    "none": "Nothing is to be deployed.",
    "partial": "No image is built and nothing is compiled.",
    "full": "The image and the job are made anew.",
}
OLDER = (
    "What is deployed is newer than this commit, so that a deploy would bring back an older state and is refused. "
    "To go back to a release: `make rollback`"
)


def plan_markdown(plan: Plan) -> str:
    """Return the kind, the reasons and what changed in each part, as Markdown."""
    return "\n".join(paragraphs(plan))


def paragraphs(plan: Plan) -> Iterator[str]:
    yield f"### Plan: {plan.kind}\n"
    yield f"{here(plan)} against {deployed(plan)}. {MEANS[plan.kind]}\n"
    yield from (f"Everything is to be deployed, as {plain(reason)}.\n" for reason in plan.reasons)
    if plan.changes:
        yield f"{table(COLUMNS, map(row, plan.changes))}\n"
    if plan.older and plan.kind != "none":
        yield f"{OLDER}\n"


def here(plan: Plan) -> str:
    what = f"Commit {code(plan.commit[:7])}" if plan.commit else "No commit yet"
    return f"{what} with changes" if plan.dirty else what


def deployed(plan: Plan) -> str:
    """Return what is compared with."""
    if plan.base:
        return f"commit {code(plan.base[:7])}, if that is what is deployed"
    return f"release {code(plan.parent)}" if plan.parent else "no release"


def row(change: Change) -> List[str]:
    lines = list(describe_change(change, code))
    more = len(lines) - SHOWN_CHANGES
    shown = [*lines[:SHOWN_CHANGES], f"and {more:,} more"] if more > 0 else lines
    return [code(change.part), change.kind, "<br>".join(shown)]
