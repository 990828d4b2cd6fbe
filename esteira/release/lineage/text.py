"""A lineage as text for a terminal."""

from typing import Iterator, List, Sequence, Tuple

from rich.console import Group, RenderableType
from rich.text import Text

from esteira.jobs.verdict import evaluation_table
from esteira.release.changes import shorten
from esteira.release.lineage.notes import of_release
from esteira.release.lineage.records import PUSHED_DESTINATION, PUSHED_MODEL
from esteira.release.lineage.values import Deploy, Done, Lineage, ModelOrigin, PartReader, PartUse
from esteira.tables import Cell, make_facts, make_table

# What a reader looks for first; the rest is in the picture and in the JSON.
MAIN_TYPES = (
    "tfx.Examples",
    "tfx.TransformGraph",
    "tfx.Model",
    "tfx.ModelBlessing",
    "tfx.ModelEvaluation",
    "tfx.PushedModel",
)
STYLES = {"failed": "red", "cancelled": "red", "cached": "dim", "imported": "dim", "resolved": "dim"}

Row = Sequence[str]


def lineage_text(lineage: Lineage) -> RenderableType:
    """Return what made a release and its model; a place in the store is shown relative to it."""
    shown: List[RenderableType] = [make_facts(list_facts(lineage))]
    shown += [Text(f"! {note}", style="yellow") for note in lineage.notes]
    shown += ["", make_table(("part", "digest", "first in", "made of", "place"), part_rows(lineage))]
    if lineage.tasks:
        columns = (f"task of run {lineage.run}", "seconds", "state")
        shown += ["", make_table(columns, map(task_row, lineage.tasks), right=("seconds",))]
        shown += ["", make_table(("artifact", "made by", "place"), artifact_rows(lineage))]
    report = lineage.verdict.report if lineage.verdict else {}
    if report.get("metrics"):
        shown += ["", evaluation_table(dict(report))]
    return Group(*shown)


def uses_text(uses: Sequence[PartUse]) -> RenderableType:
    """Return which releases have a part and which runs read it."""
    shown: List[RenderableType] = []
    for use in uses:
        facts = [
            ("part", f"{use.name} {use.digest}"),
            ("place", use.uri or "none: nothing is laid down for it"),
            ("releases", ", ".join(use.releases)),
        ]
        rows = [reader_row(reader) for reader in use.readers]
        shown += ["", make_facts(facts), make_table(("read by run", "of release", "tasks"), rows)]
    return Group(*shown[1:])


def reader_row(reader: PartReader) -> Row:
    tasks = ", ".join(f"{task} ({state})" for task, state in reader.tasks)
    return reader.run, reader.release or "no longer there", tasks


def list_facts(lineage: Lineage) -> Iterator[Tuple[str, str]]:
    """Yield what a lineage comes to, as (name, value); a value may have several lines."""
    release, origin = lineage.release, lineage.origin
    yield "release", deploy_text(release)
    if origin.id != release.id:
        yield "restores", deploy_text(origin)
    yield "commit", commit_text(lineage)
    if release.parent:
        yield "parent", release.parent
    if lineage.model:
        yield "model", model_text(lineage, lineage.model)
    yield "baseline", model_text(lineage, lineage.baseline) if lineage.baseline else "none"
    yield "blessed", verdict_text(lineage)
    yield "served", served_text(lineage)
    yield "store", lineage.store


def deploy_text(release: Deploy) -> str:
    made = f"{release.id} ({release.kind}), made {release.at} by {release.by or 'somebody unknown'}"
    return f"{made}\n{release.reason}" if release.reason else made


def commit_text(lineage: Lineage) -> str:
    origin = lineage.origin
    commit = origin.commit or "none yet"
    changes = f": {place(lineage, origin.patch)}" if origin.patch else ""
    return f"{commit} with uncommitted changes{changes}" if origin.dirty else commit


def model_text(lineage: Lineage, model: ModelOrigin) -> str:
    made = f"made by run {model.run} {of_release(model.release)}" if model.run else ""
    lines = [f"pushed to {place(lineage, model.pushed)}" if model.pushed else "", made, place(lineage, model.uri)]
    return "\n".join(line for line in lines if line)


def verdict_text(lineage: Lineage) -> str:
    verdict = lineage.verdict
    if verdict is None:
        return "no, it was not evaluated"
    said = f", said {verdict.task} of run {verdict.run}" if verdict.run else ""
    return f"{'yes' if verdict.blessed else 'no'}{said}"


def served_text(lineage: Lineage) -> str:
    if lineage.is_served:
        return f"yes, by the current release {lineage.current}"
    return f"no, the current release is {lineage.current}" if lineage.current else "no, nothing is yet"


def part_rows(lineage: Lineage) -> List[Row]:
    return [
        (
            part.name,
            shorten(part.digest),
            "this release" if part.since == lineage.release.id else part.since,
            made_of(len(part.files), len(part.values)),
            place(lineage, part.uri),
        )
        for part in lineage.parts
    ]


def made_of(files: int, values: int) -> str:
    """Return a count of files and settings, "" for neither."""
    counts = [(files, "file"), (values, "setting")]
    return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count)


def task_row(task: Done) -> Sequence[Cell]:
    state = f"cached from {task.cached_from}" if task.cached_from else task.state
    if task.state == "resolved" and not task.outputs:
        state = "resolved: nothing was found"
    seconds = "" if task.duration_s is None else f"{task.duration_s:.1f}"
    return task.name, seconds, Text(state, style=STYLES.get(task.state, ""))


def artifact_rows(lineage: Lineage) -> Iterator[Row]:
    for artifact in lineage.artifacts:
        # A Pusher has an artifact of its own beside the pushed model, even where it pushed nothing.
        pushed = str(artifact.metadata.get(PUSHED_DESTINATION, ""))
        uri = pushed if artifact.type == PUSHED_MODEL else artifact.uri
        if artifact.type in MAIN_TYPES and uri:
            elsewhere = f" of run {artifact.run}" if artifact.run != lineage.run else ""
            removed = " (removed)" if artifact.removed else ""
            yield artifact.type.rpartition(".")[2], f"{artifact.task}{elsewhere}", f"{place(lineage, uri)}{removed}"


def place(lineage: Lineage, uri: str) -> str:
    """Return a URI relative to the store, if it lies there."""
    return uri[len(lineage.store) + 1 :] if uri.startswith(f"{lineage.store}/") else uri
