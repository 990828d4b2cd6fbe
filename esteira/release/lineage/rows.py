"""The heights at which the boxes of a lineage's picture stand, and at which its links meet them."""

from dataclasses import dataclass, field
from typing import Dict, List, Sequence

from esteira.release.lineage.fit import box_height
from esteira.release.lineage.graph import FOUND, MADE, PART, READ, RELEASE, SOURCE, TASK, Box, Graph, Link

WIDTHS = (150, 164, 224, 178, 190, 176)
TOP = 50
GAP = 12
# Between two links at the same side of a task, and between two artifacts of one.
PORT = 11
BETWEEN = 8


@dataclass
class Rows:
    """Top and bottom of each box by name, and the height of each link at its task, in pixels from the top."""

    tops: Dict[str, float] = field(default_factory=dict)
    bottoms: Dict[str, float] = field(default_factory=dict)
    ports: Dict[Link, float] = field(default_factory=dict)

    def place(self, name: str, top: float, height: float) -> float:
        """Place a box and return where it ends."""
        self.tops[name], self.bottoms[name] = top, top + height
        return top + height

    def middle(self, name: str) -> float:
        return (self.tops[name] + self.bottoms[name]) / 2


def place_rows(graph: Graph) -> Rows:
    """Place tasks with their artifacts below each other, and everything else as near to its links as it goes."""
    rows = Rows()
    heights = {box.name: box_height(box.lines, WIDTHS[box.column]) for box in graph.boxes}
    place_tasks(graph, heights, rows)
    place_parts(graph, heights, rows)
    place_sources(graph, heights, rows)
    place_releases(graph, heights, rows)
    return rows


def place_tasks(graph: Graph, heights: Dict[str, float], rows: Rows) -> None:
    top: float = TOP
    for task in in_column(graph, TASK):
        right = [link for link in graph.links if is_turned_to(link, task.name)]
        made = [link for link in graph.links if link.kind == MADE and link.source == task.name]
        given = [link for link in graph.links if link.kind == READ and link.target == task.name and link not in right]
        end = max(place_artifacts(made, top, heights, rows), top + heights[task.name])
        # Below the task's own text, since each of these links is labelled inside of its box.
        end = place_ports(right, end, rows) if right else end
        height = max(end - top, PORT * (len(given) + 1))
        for number, link in enumerate(given, 1):
            rows.ports[link] = top + height * number / (len(given) + 1)
        top = rows.place(task.name, top, height) + GAP


def is_turned_to(link: Link, task: str) -> bool:
    """Return whether a link meets a task at its right: an artifact that it reads, or only finds."""
    reads = link.kind == READ and link.target == task and not link.source.startswith("part ")
    return reads or (link.kind == FOUND and link.source == task)


def place_ports(links: Sequence[Link], top: float, rows: Rows) -> float:
    for number, link in enumerate(links):
        rows.ports[link] = top + PORT * (number + 0.5)
    return top + PORT * len(links) + 4


def place_artifacts(links: Sequence[Link], top: float, heights: Dict[str, float], rows: Rows) -> float:
    end = top
    for link in links:
        end = rows.place(link.target, top, heights[link.target])
        rows.ports[link] = rows.middle(link.target)
        top = end + BETWEEN
    return end


def place_parts(graph: Graph, heights: Dict[str, float], rows: Rows) -> None:
    """Place each part beside the first task that reads it; those that none reads stand last."""
    first: Dict[str, float] = {}
    for link, port in rows.ports.items():
        if link.source.startswith("part "):
            first[link.source] = min(port, first.get(link.source, port))
    parts = sorted(in_column(graph, PART), key=lambda part: first.get(part.name, float("inf")))
    end: float = TOP - GAP
    for part in parts:
        height = heights[part.name]
        beside = first.get(part.name, 0) - height / 2
        end = rows.place(part.name, max(beside, end + GAP), height)


def place_sources(graph: Graph, heights: Dict[str, float], rows: Rows) -> None:
    parts = in_column(graph, PART)
    stack(in_column(graph, SOURCE), middle_of([part.name for part in parts], rows), heights, rows)


def place_releases(graph: Graph, heights: Dict[str, float], rows: Rows) -> None:
    boxes = in_column(graph, RELEASE)
    tellers = [link.source for link in graph.links if link.target == boxes[0].name]
    stack(boxes, middle_of(tellers, rows), heights, rows)


def stack(boxes: Sequence[Box], middle: float, heights: Dict[str, float], rows: Rows) -> None:
    """Place boxes below each other, the first around a height, and all above the picture's end if they fit."""
    lowest = max(rows.bottoms.values(), default=TOP)
    total = sum(heights[box.name] for box in boxes) + 2 * GAP * (len(boxes) - 1)
    top = max(TOP, min(middle - heights[boxes[0].name] / 2, lowest - total))
    for box in boxes:
        top = rows.place(box.name, top, heights[box.name]) + 2 * GAP


def middle_of(names: List[str], rows: Rows) -> float:
    return sum(rows.middle(name) for name in names) / len(names) if names else TOP


def in_column(graph: Graph, column: int) -> List[Box]:
    return [box for box in graph.boxes if box.column == column]
