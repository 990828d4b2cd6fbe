"""A lineage as text for a terminal."""

from typing import Iterator, List, Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from esteira.jobs.verdict import evaluation_table
from esteira.release.lineage_notes import of_release
from esteira.release.lineage_values import Deploy, Done, Lineage, ModelOrigin, PartReader, PartUse
from esteira.release.run_records import PUSHED_DESTINATION, PUSHED_MODEL

# What a reader looks for first; the rest is in the picture and in the JSON.
MAIN_TYPES = (
    "tfx.Examples",
    "tfx.TransformGraph",
    "tfx.Model",
    "tfx.ModelBlessing",
    "tfx.ModelEvaluation",
    "tfx.PushedModel",
)
DIGITS = 12
GAP = 2
STYLES = {"failed": "red", "cancelled": "red", "cached": "dim", "imported": "dim", "resolved": "dim"}

Row = Sequence[str]


def lineage_text(lineage: Lineage) -> RenderableType:
    """Return what made a release and its model; a place in the store is shown relative to it.

    Lines are as long as what they show, since places are copied from them: print it with soft wrapping.
    """
    shown: List[RenderableType] = list(aligned(list(list_facts(lineage)), heading="bold"))
    shown += [Text(f"! {note}", style="yellow") for note in lineage.notes]
    shown += [Text(), *table(("part", "digest", "since", "made of", "place"), part_rows(lineage))]
    if lineage.tasks:
        styles = [STYLES.get(task.state, "") for task in lineage.tasks]
        rows = [task_row(task) for task in lineage.tasks]
        shown += [Text(), *table((f"task of run {lineage.run}", "seconds", "state"), rows, styles)]
        shown += [Text(), *table(("artifact", "made by", "place"), list(artifact_rows(lineage)))]
    report = lineage.verdict.report if lineage.verdict else {}
    if report.get("metrics"):
        shown += [Text(), evaluation_table(dict(report))]
    return Group(*shown)


def uses_text(uses: Sequence[PartUse]) -> RenderableType:
    """Return which releases have a part and which runs read it, as text like that of a lineage."""
    shown: List[RenderableType] = []
    for use in uses:
        facts = [
            ("part", f"{use.name} {use.digest}"),
            ("place", use.uri or "none: nothing is laid down for it"),
            ("releases", ", ".join(use.releases)),
        ]
        rows = [reader_row(reader) for reader in use.readers]
        shown += [*aligned(facts, heading="bold"), *table(("read by run", "of release", "tasks"), rows), Text()]
    return Group(*shown[:-1])


def reader_row(reader: PartReader) -> Row:
    tasks = ", ".join(f"{task} ({state})" for task, state in reader.tasks)
    return reader.run, reader.release or "no longer there", tasks


def list_facts(lineage: Lineage) -> Iterator[Row]:
    release, origin = lineage.release, lineage.origin
    yield from fact("release", deploy_text(release))
    if origin.id != release.id:
        yield from fact("restores", deploy_text(origin))
    yield from fact("commit", commit_text(lineage))
    if release.parent:
        yield from fact("parent", release.parent)
    if lineage.model:
        yield from fact("model", model_text(lineage, lineage.model))
    yield from fact("baseline", model_text(lineage, lineage.baseline) if lineage.baseline else "none")
    yield from fact("blessed", verdict_text(lineage))
    yield from fact("served", served_text(lineage))
    yield from fact("store", lineage.store)


def fact(label: str, value: str) -> Iterator[Row]:
    """Yield a row a line of the value, the label in the first alone."""
    for number, line in enumerate(value.splitlines() or [""]):
        yield ("" if number else label, line)


def deploy_text(release: Deploy) -> str:
    made = f"{release.id} ({release.kind}), made {release.at} by {release.by or 'somebody unknown'}"
    return f"{made}\n{release.reason}" if release.reason else made


def commit_text(lineage: Lineage) -> str:
    origin = lineage.origin
    commit = origin.commit or "none yet"
    return f"{commit} with uncommitted changes: {place(lineage, origin.patch)}" if origin.dirty else commit


def model_text(lineage: Lineage, model: ModelOrigin) -> str:
    places = [place(lineage, uri) for uri in (model.pushed, model.uri) if uri]
    made = [f"made by run {model.run} {of_release(model.release)}"] if model.run else []
    return "\n".join(places + made)


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
            short(part.digest),
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


def task_row(task: Done) -> Row:
    state = f"cached from {task.cached_from}" if task.cached_from else task.state
    if task.state == "resolved" and not task.outputs:
        state = "resolved: nothing was found"
    return task.name, "" if task.duration_s is None else f"{task.duration_s:7.1f}", state


def artifact_rows(lineage: Lineage) -> Iterator[Row]:
    for artifact in lineage.artifacts:
        # A Pusher has an artifact of its own beside the pushed model, even where it pushed nothing.
        pushed = str(artifact.metadata.get(PUSHED_DESTINATION, ""))
        uri = pushed if artifact.type == PUSHED_MODEL else artifact.uri
        if artifact.type in MAIN_TYPES and uri:
            elsewhere = f" of run {artifact.run}" if artifact.run != lineage.run else ""
            yield artifact.type.rpartition(".")[2], f"{artifact.task}{elsewhere}", place(lineage, uri)


def place(lineage: Lineage, uri: str) -> str:
    """Return a URI relative to the store, if it lies there."""
    return uri[len(lineage.store) + 1 :] if uri.startswith(f"{lineage.store}/") else uri


def short(digest: str) -> str:
    return digest.rpartition(":")[2][:DIGITS]


def table(headings: Row, rows: Sequence[Row], styles: Sequence[str] = ()) -> List[Text]:
    """Return lines with headings; `styles` holds one for each row."""
    return aligned([headings, *rows], ["bold", *(styles or [""] * len(rows))])


def aligned(rows: Sequence[Row], styles: Sequence[str] = (), heading: str = "") -> List[Text]:
    """Return rows as lines whose columns stand below each other; `heading` styles the first column."""
    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows)]
    lines = []
    for row, style in zip(rows, styles or [""] * len(rows)):
        line = Text(style=style)
        for cell, width in zip(row, widths):
            line.append(cell + " " * (width - cell_len(cell) + GAP), style="" if line else heading)
        line.rstrip()
        lines.append(line)
    return lines
