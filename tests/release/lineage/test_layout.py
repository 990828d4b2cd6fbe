from random import Random
from typing import Iterator, List, Tuple

from hypothesis import given, settings
from hypothesis import strategies as st

from esteira.release.lineage.graph import ARTIFACT, JUDGED, PART, TASK, Box, Graph, Link
from esteira.release.lineage.layout import Drawing, Placed, lay_out

Segment = Tuple[float, float, float, float]


def some_graph(seed: int) -> Graph:
    """Return a run of up to twenty tasks that read parts and what earlier ones put out, in any way."""
    random = Random(seed)
    boxes = [Box("commit", 0, ("commit", "c"), ""), Box("release", 5, ("release", "full"), "")]
    parts = [f"part {number}" for number in range(random.randint(0, 7))]
    boxes += [Box(part, PART, (part, "digest", "since"), "") for part in parts]
    links = [Link("commit", part, "told", "") for part in parts]
    artifacts: List[str] = []
    for number in range(random.randint(1, 20)):
        task = f"task {number}"
        boxes.append(Box(task, TASK, (random.choice(["Trainer", "a_long_name-" * 4]), "executed"), ""))
        links += [Link(part, task, "read", "") for part in random.sample(parts, random.randint(0, len(parts)))]
        known = random.sample(artifacts, random.randint(0, min(5, len(artifacts))))
        links += [Link(name, task, "read", "", "key") for name in known]
        links += [Link(task, name, "found", "", "key") for name in artifacts[:1] if random.random() < 0.2]
        for output in range(random.randint(0, 4)):
            artifacts.append(f"{number}.{output}")
            boxes.append(Box(artifacts[-1], random.choice([ARTIFACT, JUDGED]), ("key", "type"), ""))
            links.append(Link(task, artifacts[-1], "made", ""))
    return Graph(tuple(boxes), tuple(links))


def segments(drawing: Drawing) -> Iterator[Segment]:
    for route in drawing.routes:
        if not route.is_curve:
            for (x, y), (to_x, to_y) in zip(route.points, route.points[1:]):
                yield min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y)


def enters(segment: Segment, box: Placed) -> bool:
    left, top, right, bottom = segment
    across = left < box.x + box.width - 1 and box.x + 1 < right if left != right else box.x < left < box.x + box.width
    along = top < box.y + box.height - 1 and box.y + 1 < bottom if top != bottom else box.y < top < box.y + box.height
    return across and along


def apart(one: Placed, other: Placed) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return beside or one.y + one.height <= other.y or other.y + other.height <= one.y


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_boxes_stand_apart_and_no_line_crosses_one(seed: int) -> None:
    drawing = lay_out(some_graph(seed))
    boxes = drawing.boxes
    assert all(apart(one, other) for number, one in enumerate(boxes) for other in boxes[number + 1 :])
    assert not [(segment, box.box.name) for segment in segments(drawing) for box in boxes if enters(segment, box)]
    assert all(box.x >= 0 and box.x + box.width <= drawing.width for box in boxes)
    assert all(box.y >= 0 and box.y + box.height <= drawing.height for box in boxes)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_lines_to_different_artifacts_do_not_run_on_each_other(seed: int) -> None:
    drawing = lay_out(some_graph(seed))
    vertical = {
        (
            min(x, to_x),
            min(y, to_y),
            max(y, to_y),
            route.link.source if route.link.kind == "read" else route.link.target,
        )
        for route in drawing.routes
        if route.lane is not None
        for (x, y), (to_x, to_y) in zip(route.points, route.points[1:])
        if x == to_x and y != to_y
    }
    for x, top, bottom, name in vertical:
        others = [line for line in vertical if line[0] == x and line[3] != name]
        assert all(bottom < other[1] or other[2] < top for other in others)


def test_equal_graphs_have_equal_drawings() -> None:
    assert lay_out(some_graph(7)) == lay_out(some_graph(7))
