"""Where the boxes and links of a lineage's picture stand, in pixels of a page 1400 wide.

Tasks stand below each other, and each artifact in a row of its own beside the task that made it. A link
to a reader runs down a lane between two columns, one for each artifact or part, and turns off into the
reader. So no line crosses a box, and no text another, however many there are.
"""

from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, Tuple

from esteira.release.lineage.fit import PADDING, TEXT_WIDTH, fit_lines, shorten
from esteira.release.lineage.graph import COLUMNS, MADE, PART, TASK, TOLD, Box, Graph, Link
from esteira.release.lineage.rows import GAP, WIDTHS, Rows, in_column, place_rows

MARGIN = 12
LANE = 9
# Between a lane and the boxes beside it: an arrow's head stands there.
LANE_MARGIN = 18
# Between two columns that have no lanes between them.
GUTTER = 40
LABEL_MARGIN = 7
LABEL_LIMIT = int((WIDTHS[TASK] - 2 * PADDING) / TEXT_WIDTH)
# The least distance of two links that share a lane.
APART = 8

Point = Tuple[float, float]
Lanes = Mapping[str, int]


@dataclass(frozen=True)
class Placed:
    """A box with the lines that it shows, those of its name first, and where it stands."""

    box: Box
    names: Tuple[str, ...]
    texts: Tuple[str, ...]
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Route:
    """A link and the points that it turns at; `is_curve` for one that is bent from its first to its last.

    `lane` numbers the lane that the artifact or part has, so that neighbours can differ in colour; None without one.
    """

    link: Link
    points: Tuple[Point, ...]
    is_curve: bool = False
    lane: Optional[int] = None


@dataclass(frozen=True)
class Drawing:
    """All that is to be drawn. `dots` are where readers' links leave the link to an artifact.

    `labels` end, and `headings` begin, at their place.
    """

    boxes: Tuple[Placed, ...]
    routes: Tuple[Route, ...]
    dots: Tuple[Tuple[Point, int], ...]
    labels: Tuple[Tuple[Point, str], ...]
    headings: Tuple[Tuple[float, str], ...]
    width: float
    height: float


def lay_out(graph: Graph) -> Drawing:
    """Return where everything stands. Equal graphs have equal drawings."""
    rows = place_rows(graph)
    parts = assign_lanes(graph, rows, of_parts=True)
    artifacts = assign_lanes(graph, rows, of_parts=False)
    lefts = column_lefts(parts, artifacts)
    routes = tuple(route(link, graph, rows, lefts, {**parts, **artifacts}) for link in graph.links)
    return Drawing(
        boxes=tuple(place(box, rows, lefts) for box in graph.boxes),
        routes=routes,
        dots=tuple(((right_lane(lefts, lane), rows.middle(name)), lane) for name, lane in artifacts.items()),
        labels=tuple(place_labels(rows, lefts)),
        headings=tuple(zip(lefts, COLUMNS)),
        width=lefts[-1] + WIDTHS[-1] + MARGIN,
        height=max(rows.bottoms.values()) + GAP,
    )


def assign_lanes(graph: Graph, rows: Rows, *, of_parts: bool) -> Dict[str, int]:
    """Return the lane of each part, or of each artifact, that links turn off from; short ones next to the tasks."""
    parts = {box.name for box in in_column(graph, PART)}
    spans: Dict[str, List[float]] = {}
    for link, port in rows.ports.items():
        name = shared_end(link)
        if link.kind != MADE and (name in parts) == of_parts:
            spans.setdefault(name, [rows.middle(name)]).append(port)
    lanes: Dict[str, int] = {}
    for name in sorted(spans, key=lambda name: (max(spans[name]) - min(spans[name]), min(spans[name]))):
        taken = {lanes[other] for other in lanes if overlap(spans[name], spans[other])}
        lanes[name] = next(lane for lane in range(len(spans)) if lane not in taken)
    return lanes


def overlap(one: List[float], other: List[float]) -> bool:
    return min(one) - APART < max(other) and min(other) - APART < max(one)


def shared_end(link: Link) -> str:
    """Return the artifact or part of a link between one and a task."""
    return link.source if link.kind == "read" else link.target


def column_lefts(parts: Lanes, artifacts: Lanes) -> List[float]:
    """Return the left edge of each column: as many lanes as are needed lie at both sides of the tasks."""
    gutters = [GUTTER, lanes_width(parts), lanes_width(artifacts), GUTTER / 2, GUTTER]
    lefts: List[float] = [MARGIN]
    for width, gutter in zip(WIDTHS, gutters):
        lefts.append(lefts[-1] + width + gutter)
    return lefts


def lanes_width(lanes: Lanes) -> float:
    return 2 * LANE_MARGIN + LANE * max(lanes.values(), default=0)


def right_lane(lefts: List[float], lane: int) -> float:
    return lefts[TASK] + WIDTHS[TASK] + LANE_MARGIN + LANE * lane


def place(box: Box, rows: Rows, lefts: List[float]) -> Placed:
    width, top = WIDTHS[box.column], rows.tops[box.name]
    names, texts = fit_lines(box.lines, width)
    return Placed(box, names, texts, lefts[box.column], top, width, rows.bottoms[box.name] - top)


def place_labels(rows: Rows, lefts: List[float]) -> Iterator[Tuple[Point, str]]:
    """Yield what each task calls the artifacts that it reads, inside of its box."""
    for link, port in rows.ports.items():
        if link.label and link.kind != MADE:
            yield (lefts[TASK] + WIDTHS[TASK] - LABEL_MARGIN, port), shorten(link.label, LABEL_LIMIT)


def route(link: Link, graph: Graph, rows: Rows, lefts: List[float], lanes: Lanes) -> Route:
    columns = {box.name: box.column for box in graph.boxes}
    source, target = columns[link.source], columns[link.target]
    if link.kind == TOLD:
        return route_told(link, source, target, rows, lefts)
    name, port, tasks_right = shared_end(link), rows.ports[link], lefts[TASK] + WIDTHS[TASK]
    if link.kind == MADE:
        return Route(link, ((tasks_right, port), (lefts[target], port)), lane=lanes.get(name))
    lane, y = lanes[name], rows.middle(name)
    if source == PART:
        x = lefts[TASK] - LANE_MARGIN - LANE * lane
        return Route(link, ((lefts[PART] + WIDTHS[PART], y), (x, y), (x, port), (lefts[TASK], port)), lane=lane)
    x = right_lane(lefts, lane)
    points = ((x, y), (x, port), (tasks_right, port))
    return Route(link, points if source != TASK else points[::-1], lane=lane)


def route_told(link: Link, source: int, target: int, rows: Rows, lefts: List[float]) -> Route:
    if source == target:
        x = lefts[source] + WIDTHS[source] / 2
        return Route(link, ((x, rows.bottoms[link.source]), (x, rows.tops[link.target])))
    start = (lefts[source] + WIDTHS[source], rows.middle(link.source))
    # From the run itself, above all artifacts, it goes straight on.
    end = start[1] if source == TASK else rows.middle(link.target)
    return Route(link, (start, (lefts[target], end)), is_curve=True)
