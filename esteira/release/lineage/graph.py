"""What the picture of a lineage shows: boxes in columns, and the links between them."""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Sequence, Set, Tuple

from esteira.release.changes import shorten
from esteira.release.lineage.records import MODEL, PUSHED_DESTINATION, PUSHED_MODEL
from esteira.release.lineage.run import BLESSING, EVALUATION
from esteira.release.lineage.values import Deploy, Done, Lineage, Made, PartOrigin
from esteira.release.partition import CSV

COLUMNS = ("commit", "parts", "tasks of the run", "artifacts", "model and evaluation", "release")
SOURCE, PART, TASK, ARTIFACT, JUDGED, RELEASE = range(len(COLUMNS))
MADE, FOUND, READ, TOLD = "made", "found", "read", "told"
JUDGED_TYPES = (MODEL, BLESSING, EVALUATION, PUSHED_MODEL)
# These parts are what the run is made of; the others are read by its tasks, or not by the run at all.
RUN_PARTS = ("image", "job")
RUN = "run"
FILES_SHOWN = 12


@dataclass(frozen=True)
class Box:
    """`lines` begins with what it is called; `hover` is all there is to know; `style` its classes in the page."""

    name: str
    column: int
    lines: Tuple[str, ...]
    hover: str
    style: str = ""


@dataclass(frozen=True)
class Link:
    """An arrow. `kind`: a task MADE or FOUND an artifact, a task READ an artifact or part, or a manifest TOLD it.

    `label` is what the task calls the artifact.
    """

    source: str
    target: str
    kind: str
    hover: str
    label: str = ""


@dataclass(frozen=True)
class Graph:
    boxes: Tuple[Box, ...]
    links: Tuple[Link, ...]


def draw_graph(lineage: Lineage) -> Graph:
    """Return a lineage's boxes, tasks in the order of their start, and its links, which are events of the run."""
    shown = {name for task in lineage.tasks for _, name in task.outputs}
    boxes = [
        *source_boxes(lineage),
        *(part_box(part, lineage) for part in lineage.parts),
        run_box(lineage),
        *(task_box(task, lineage) for task in lineage.tasks),
        *(artifact_box(artifact, lineage) for artifact in lineage.artifacts if artifact.name in shown),
        *release_boxes(lineage),
    ]
    links = [*part_links(lineage), *run_links(lineage, shown), *release_links(lineage)]
    return Graph(tuple(boxes), tuple(links))


def source_boxes(lineage: Lineage) -> Iterator[Box]:
    origin = lineage.origin
    changed = ("+ uncommitted changes",) if origin.dirty else ()
    hover = [f"commit {origin.commit or 'none yet'}", *([f"changes: {origin.patch}"] if origin.patch else [])]
    yield Box("commit", SOURCE, ("commit", shorten(origin.commit) or "none yet", *changed), "\n".join(hover), "source")
    for part in lineage.parts:
        if CSV in part.values:
            digest = str(part.values[CSV])
            yield Box(
                CSV,
                SOURCE,
                ("CSV file", shorten(digest)),
                f"the CSV that the data was made of\ndigest {digest}",
                "source",
            )


def part_box(part: PartOrigin, lineage: Lineage) -> Box:
    is_new = part.since == lineage.origin.id
    since = "new" if is_new else f"first in {part.since}"
    lines = (part.name, shorten(part.digest), since)
    return Box(f"part {part.name}", PART, lines, part_hover(part), "part new" if is_new else "part")


def part_hover(part: PartOrigin) -> str:
    files = [f"  {path}  {blob}" for path, blob in sorted(part.files.items())]
    more = [f"  and {len(files) - FILES_SHOWN:,} more"] if len(files) > FILES_SHOWN else []
    values = [f"  {name} = {value}" for name, value in sorted(part.values.items())]
    return "\n".join(
        [
            f"part {part.name}",
            f"digest {part.digest}",
            *([f"content {part.content}"] if part.content else []),
            *([f"at {part.uri}"] if part.uri else []),
            f"first in release {part.since}",
            *([f"{len(files):,} files:", *files[:FILES_SHOWN], *more] if files else []),
            *(["settings:", *values] if values else []),
        ]
    )


def run_box(lineage: Lineage) -> Box:
    if not lineage.run:
        return Box(RUN, TASK, ("no run",), "the release was never run", "bad")
    hover = [f"run {lineage.run}", *([f"logs: {lineage.logs}"] if lineage.logs else [])]
    return Box(RUN, TASK, ("run", lineage.run), "\n".join(hover), "run")


def task_box(task: Done, lineage: Lineage) -> Box:
    took = "" if task.duration_s is None else f" in {task.duration_s:.1f} s"
    known = {artifact.run: artifact.release for artifact in lineage.artifacts}
    state = f"{task.state}{took}" if task.state in ("executed", "failed") else task.state
    if task.cached_from:
        state = f"cached from {known.get(task.cached_from) or task.cached_from}"
    elif task.state == "resolved" and not task.outputs:
        state = "resolved: nothing was found"
    hover = f"task {task.name}\n{task.state}{took}, started {task.started}"
    if task.cached_from:
        hover += f"\nits outputs are those of run {task.cached_from}"
    return Box(f"task {task.name}", TASK, (task.name, state), hover, f"task {task.state}")


def artifact_box(artifact: Made, lineage: Lineage) -> Box:
    key = next(key for task in lineage.tasks for key, name in task.outputs if name == artifact.name)
    column = JUDGED if artifact.type in JUDGED_TYPES else ARTIFACT
    what, style = artifact.type.rpartition(".")[2], "artifact"
    if artifact.type == BLESSING:
        what, style = ("blessed", "good") if artifact.metadata.get("blessed") else ("not blessed", "bad")
    elif artifact.type == PUSHED_MODEL:
        what = "/".join(pushed_to(artifact).split("/")[-2:]) or "nothing was pushed"
    if artifact.run != lineage.run:
        style += " elsewhere"
        what += f" of {artifact.release or artifact.run}" if column == JUDGED else ""
    return Box(artifact.name, column, (key, what), artifact_hover(artifact), style)


def artifact_hover(artifact: Made) -> str:
    release = f", release {artifact.release}" if artifact.release else ""
    made = f"{artifact.type}\nat {artifact.uri}\nmade by {artifact.task} of run {artifact.run}{release}"
    pushed = f"\npushed to {pushed_to(artifact)}" if pushed_to(artifact) else ""
    removed = "\nits files were removed" if artifact.removed else ""
    return f"{made}{pushed}{removed}\n{artifact.name}"


def pushed_to(artifact: Made) -> str:
    return str(artifact.metadata.get(PUSHED_DESTINATION, ""))


def release_boxes(lineage: Lineage) -> Iterator[Box]:
    origin, release = lineage.origin, lineage.release
    style = "good" if lineage.verdict and lineage.verdict.blessed else "bad"
    yield release_box(origin, style)
    if release.id != origin.id:
        yield release_box(release, style)
    hover = f"current is {lineage.current or 'nothing yet'}"
    if lineage.is_served:
        yield Box("served", RELEASE, ("served now", f"by {lineage.current}"), hover, "served good")
    else:
        yield Box("served", RELEASE, ("not served now", hover), hover, "quiet")


def release_box(release: Deploy, style: str) -> Box:
    day, _, clock = release.at.rstrip("Z").partition("T")
    lines = (f"release {release.id}", release.kind, f"{day} {clock}", f"by {release.by}")
    hover = f"release {release.id}\n{release.kind}, made {release.at} by {release.by}\n{release.reason}"
    return Box(f"release {release.id}", RELEASE, lines, hover, f"release {style}")


def part_links(lineage: Lineage) -> Iterator[Link]:
    for part in lineage.parts:
        name = f"part {part.name}"
        yield Link("commit", name, TOLD, f"{part.name} as of the commit")
        if CSV in part.values:
            yield Link(CSV, name, TOLD, f"{part.name} made of the CSV")
        if part.name in RUN_PARTS and lineage.run:
            yield Link(name, RUN, READ, f"the run is made of {part.name}")
    for task in lineage.tasks:
        for name in task.parts:
            yield Link(f"part {name}", f"task {task.name}", READ, f"{task.name} reads {name}")


def run_links(lineage: Lineage, shown: Set[str]) -> Iterator[Link]:
    """Yield a link for each event; an artifact's maker in this run is the last task that put it out."""
    makers: Dict[str, str] = {name: task.name for task in lineage.tasks for _, name in task.outputs}
    for task in lineage.tasks:
        for key, name in task.outputs:
            kind = MADE if makers[name] == task.name else FOUND
            yield Link(f"task {task.name}", name, kind, f"{task.name} puts out {key}", key)
        for key, name in task.inputs:
            if name in shown:
                yield Link(name, f"task {task.name}", READ, f"{task.name} reads it as {key}", key)


def release_links(lineage: Lineage) -> Iterator[Link]:
    chain = [f"release {lineage.origin.id}", f"release {lineage.release.id}", "served"]
    told = told_artifacts([artifact for artifact in lineage.artifacts if artifact.run == lineage.run])
    for artifact in told:
        yield Link(artifact.name, chain[0], TOLD, "told in the manifest of the release")
    if not told:
        yield Link(RUN, chain[0], TOLD, "the run of the release")
    for above, below in zip(chain, chain[1:]):
        if above != below and (below != "served" or lineage.is_served):
            yield Link(above, below, TOLD, "restored by" if below != "served" else "served")


def told_artifacts(artifacts: Sequence[Made]) -> List[Made]:
    """Return the last evaluation and the pushed model of a run, as far as there are any: the manifest names them."""
    evaluations = [artifact for artifact in artifacts if artifact.type == EVALUATION]
    pushed = [artifact for artifact in artifacts if PUSHED_DESTINATION in artifact.metadata]
    return evaluations[-1:] + pushed[-1:]
