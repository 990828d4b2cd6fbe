"""The picture of a lineage: one HTML file that needs nothing else, the same bytes for the same lineage."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence

import jinja2

from esteira.files import write_text
from esteira.jobs.verdict import SIGNS, bounds_of, figure
from esteira.release.gist import COUNT
from esteira.release.lineage.graph import draw_graph
from esteira.release.lineage.layout import Point, Route, lay_out
from esteira.release.lineage.text import list_facts
from esteira.release.lineage.values import Lineage
from esteira.settings import Settings

TEMPLATE = "page.html.j2"
FOLDER = "lineage"
RADIUS = 5
# As many as the template has.
LANE_COLOURS = 6


def picture_path(settings: Settings, lineage: Lineage) -> Path:
    """Return where the picture of a lineage belongs."""
    return settings.state / FOLDER / f"{lineage.release.id}.html"


def write_picture(lineage: Lineage, path: Path) -> Path:
    """Write the picture and return its path. Raises StateError if it cannot be written."""
    write_text(path, render_picture(lineage))
    return path


def render_picture(lineage: Lineage) -> str:
    """Return the page: every text in it is escaped, and nothing in it depends on place or time."""
    drawing = lay_out(draw_graph(lineage))
    numbers = {placed.box.name: number for number, placed in enumerate(drawing.boxes)}
    report = lineage.verdict.report if lineage.verdict else {}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(Path(__file__).parent)),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(
        lineage=lineage,
        facts=list(list_facts(lineage)),
        drawing=drawing,
        dots=[(x, y, lane % LANE_COLOURS) for (x, y), lane in drawing.dots],
        paths=[path_values(route, numbers) for route in drawing.routes],
        metrics=list(metric_rows(report)),
    )


def path_values(route: Route, numbers: Mapping[str, int]) -> Dict[str, Any]:
    """Return what the page says of a link: its outline, its hover text and the numbers of the boxes at its ends."""
    ends = [numbers[route.link.source], numbers[route.link.target]]
    outline = bend(*route.points) if route.is_curve else turn(route.points)
    lane = "" if route.lane is None else f"lane{route.lane % LANE_COLOURS}"
    return {"outline": outline, "link": route.link, "ends": ends, "lane": lane}


def bend(start: Point, end: Point) -> str:
    """Return the outline of a curve that leaves and arrives level."""
    half = (start[0] + end[0]) / 2
    return f"M{at(start)}C{at((half, start[1]))} {at((half, end[1]))} {at(end)}"


def turn(points: Sequence[Point]) -> str:
    """Return the outline of a line with round corners."""
    steps = [f"M{at(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:]):
        steps.append(f"L{at(towards(corner, before))}Q{at(corner)} {at(towards(corner, after))}")
    return "".join([*steps, f"L{at(points[-1])}"])


def towards(corner: Point, other: Point) -> Point:
    """Return the point where a round corner begins, on the way to another point."""
    away = abs(other[0] - corner[0]) + abs(other[1] - corner[1])
    share = min(RADIUS / away, 0.5) if away else 0
    return corner[0] + (other[0] - corner[0]) * share, corner[1] + (other[1] - corner[1]) * share


def at(point: Point) -> str:
    return ",".join(f"{value:.1f}".rstrip("0").rstrip(".") for value in point)


def metric_rows(report: Mapping[str, Any]) -> Iterator[Dict[str, str]]:
    """Yield the figures of an evaluation as texts, each metric with its thresholds and its baseline."""
    baseline = report.get("baseline_metrics") or {}
    for name, value in sorted(report.get("metrics", {}).items()):
        bounds: List[Dict[str, Any]] = bounds_of(report.get("thresholds", []), name)
        passed = all(bound["passed"] for bound in bounds)
        yield {
            "name": name,
            "value": f"{value:,.3f}" if name != COUNT else f"{value:,.0f}",
            "bounds": ", ".join(f"{SIGNS[bound['kind']]} {figure(bound['bound'])}" for bound in bounds),
            "baseline": f"{baseline[name]:,.3f}" if name in baseline and name != COUNT else "",
            "verdict": ("passed" if passed else "missed") if bounds else "",
        }
