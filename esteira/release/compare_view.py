"""The difference of two releases as people and scripts read it: `make diff`."""

from typing import Any, Dict, Iterator, List, Optional, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from esteira.errors import StateError
from esteira.formats import check_format
from esteira.release.changes import FileChange, ValueChange, shorten, shown_path, shown_value
from esteira.release.compare import Comparison, PartChange, compare_releases
from esteira.release.gist import COUNT, moment, short_commit, verdict
from esteira.release.history import known_release
from esteira.release.history_view import chosen_release
from esteira.release.manifest import Release, json_text
from esteira.release.store.interface import Store
from esteira.tables import make_table

DIFF_STYLES = {"@": "cyan", "-": "red", "+": "green"}
# The lines above the first @@ name the file.
HEADER_LINES = 2


def show_comparison(store: Store, a: Optional[str], b: Optional[str], format: str) -> RenderableType:
    """Return how release B differs from A as a `table` or as `json`; both are beginnings of ids.

    None is the release that is served for B, and the one that was served before B for A. Raises
    StateError if there is no such release.
    """
    check_format(format, "make diff")
    later = chosen_release(store, b, "B")
    earlier = release_before(store, later) if a is None else chosen_release(store, a, "A")
    comparison = compare_releases(store, earlier, later)
    return comparison_json(comparison) if format == "json" else comparison_view(comparison)


def release_before(store: Store, release: Release) -> Release:
    """Return the release that was served when another was made; StateError if it is not in the history."""
    before = known_release(store, release.parent) if release.parent else None
    if before is None:
        why = f"release {release.parent} is no longer in the history" if release.parent else "it was the first"
        raise StateError(
            f"release {release.id}: there is none before it to compare it with: {why}.\n"
            f"Choose one that make releases lists: make diff A=id B={release.id}"
        )
    return before


def comparison_json(comparison: Comparison) -> str:
    """Return a comparison as the text of a JSON object."""
    value = {
        "a": comparison.a.id,
        "b": comparison.b.id,
        "parts": {part.part: part_value(part) for part in comparison.parts},
        "modules": comparison.modules,
        "hyperparameters": pairs(comparison.hyperparameters),
        "metrics": pairs(comparison.metrics),
    }
    return json_text(value).rstrip("\n")


def part_value(part: PartChange) -> Dict[str, Any]:
    files = [file.dict() for file in part.files]
    digests = {"a": part.a or None, "b": part.b or None}
    return {**digests, "listed": not part.unlisted, "files": files, "values": pairs(part.values)}


def pairs(changes: List[ValueChange]) -> Dict[str, Dict[str, Any]]:
    return {change.name: {"a": change.old, "b": change.new} for change in changes}


def comparison_view(comparison: Comparison) -> Group:
    """Return a comparison for people; diffs are coloured on a terminal."""
    return Group(*blocks(comparison))


def blocks(comparison: Comparison) -> Iterator[RenderableType]:
    yield releases_side_by_side(comparison.a, comparison.b)
    yield ""
    yield make_table(["part", ""], [(part.part, digests(part)) for part in comparison.parts])
    files = [(part.part, file.what, shown_file(file)) for part in comparison.parts for file in part.files]
    yield from after_a_line(["part", "file", ""], files)
    values = [[part.part, *cells(value)] for part in comparison.parts for value in part.values]
    yield from after_a_line(["part", "value", "A", "B"], values)
    for diff in comparison.modules.values():
        yield ""
        yield coloured(diff)
    yield from after_a_line(["hyperparameter", "A", "B"], [cells(value) for value in comparison.hyperparameters])
    yield from after_a_line(["metric", "A", "B", "B - A"], [metric_cells(value) for value in comparison.metrics])


def releases_side_by_side(a: Release, b: Release) -> Table:
    rows = [
        (name, release.id, moment(release.at), short_commit(release), release.kind, verdict(release))
        for name, release in (("A", a), ("B", b))
    ]
    return make_table(["", "release", "when (UTC)", "commit", "kind", "blessed"], rows)


def digests(part: PartChange) -> str:
    if part.a == part.b:
        return "equal"
    lost = "   (the list of what it was made of is lost)" if part.unlisted else ""
    return f"{shorten(part.a) or 'none'} → {shorten(part.b) or 'none'}{lost}"


def shown_file(file: FileChange) -> str:
    return f"{shown_path(file.was)} → {shown_path(file.path)}" if file.was else shown_path(file.path)


def after_a_line(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[RenderableType]:
    """Yield a blank line and a table, nothing if it has no rows."""
    if rows:
        yield ""
        yield make_table(columns, rows, right=["B - A"])


def cells(change: ValueChange) -> List[str]:
    return [change.name, shown_value(change.old), shown_value(change.new)]


def metric_cells(change: ValueChange) -> List[str]:
    form = ",.0f" if change.name == COUNT else ".3f"
    both = change.old is not None and change.new is not None
    figures = ["" if value is None else f"{value:{form}}" for value in (change.old, change.new)]
    return [change.name, *figures, f"{change.new - change.old:+{form}}" if both else ""]


def coloured(diff: str) -> Text:
    """Return a unified diff with the colours that git gives it."""
    lines = diff.rstrip("\n").split("\n")
    header = [Text(line, style="bold") for line in lines[:HEADER_LINES]]
    # A line that was removed may begin with "--" itself.
    changes = [Text(line, style=DIFF_STYLES.get(line[:1], "")) for line in lines[HEADER_LINES:]]
    return Text("\n").join([*header, *changes])
