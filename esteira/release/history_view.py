"""The history as people and scripts read it: `make releases` and `make show`."""

from typing import Any, Dict, Iterator, List, Optional, Tuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from esteira.errors import StateError
from esteira.formats import check_format
from esteira.release.changes import shorten
from esteira.release.gist import UNREADABLE, VERDICT_STYLES, main_metrics, moment, short_commit, verdict
from esteira.release.history import current_release, find_release, promoted, read_history, read_pointer
from esteira.release.manifest import Release, json_text, manifest_name, ordered_parts
from esteira.release.places import patch_place
from esteira.release.store.interface import Store
from esteira.release.values import other_than_default
from esteira.tables import Cell, make_facts, make_table


def show_releases(store: Store, format: str) -> RenderableType:
    """Return the history, the newest release first, as a `table` or as `json`."""
    check_format(format, "make releases")
    return releases_json(store) if format == "json" else releases_table(store)


def releases_table(store: Store) -> Table:
    """Return the history: ● is the release that is served, ○ one that was before."""
    rows = release_rows(store)
    metrics = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    columns = ["", "release", "when (UTC)", "commit", "kind", *metrics, "blessed"]
    table = make_table(columns, [table_row(row, metrics) for row in rows], right=metrics)
    if not rows:
        table.caption, table.caption_justify = Text("No release yet. Run: make deploy"), "left"
    return table


def releases_json(store: Store) -> str:
    """Return the history as the text of a JSON array."""
    return json_text(release_rows(store)).rstrip("\n")


def release_rows(store: Store) -> List[Dict[str, Any]]:
    """Return what the list says of each release, those that cannot be read last; every manifest is read once."""
    (releases, unreadable), current = read_history(store), read_pointer(store).release
    served = {release.id for release in promoted(releases, current)}
    known = [
        {
            "id": release.id,
            "at": release.at,
            "commit": release.commit,
            "dirty": release.dirty,
            "short_commit": short_commit(release),
            "kind": release.kind,
            "metrics": main_metrics(release),
            "blessed": verdict(release),
            "current": release.id == current,
            "served": release.id in served,
        }
        for release in releases
    ]
    return known + [unreadable_row(release, current) for release in unreadable]


def unreadable_row(release: str, current: str) -> Dict[str, Any]:
    """Return the row of a release whose manifest is damaged, or of another version."""
    names = ("at", "commit", "short_commit", "kind")
    unknown = {"dirty": False, "metrics": {}, "served": release == current}
    return {"id": release, **dict.fromkeys(names, ""), **unknown, "current": release == current, "blessed": UNREADABLE}


def table_row(row: Dict[str, Any], metrics: List[str]) -> List[Cell]:
    mark = Text("●", style="green") if row["current"] else Text("○" if row["served"] else "")
    figures = [f"{row['metrics'][name]:.3f}" if name in row["metrics"] else "" for name in metrics]
    blessed = Text(row["blessed"], style=VERDICT_STYLES[row["blessed"]])
    return [mark, row["id"], moment(row["at"]), row["short_commit"], row["kind"], *figures, blessed]


def show_release(store: Store, text: Optional[str], format: str) -> RenderableType:
    """Return a release as a `table`, or as `json` its release.json as it lies.

    `text` is the beginning of its id, None the release that is served. Raises StateError if there is none.
    """
    check_format(format, "make show")
    release = chosen_release(store, text)
    return manifest_text(store, release) if format == "json" else release_view(store, release)


def chosen_release(store: Store, text: Optional[str], variable: str = "RELEASE") -> Release:
    """Return the release whose id begins with `text`, None for the one that is served; else raise StateError."""
    if text is not None:
        return find_release(store, text, variable)
    release = current_release(store)
    if release is None:
        raise StateError(f"{store.uri}: nothing is deployed yet. Run: make deploy    Then: make releases")
    return release


def manifest_text(store: Store, release: Release) -> str:
    stored = store.read(manifest_name(release.id))
    return stored.content.decode("utf-8").rstrip("\n") if stored else ""


def release_view(store: Store, release: Release) -> RenderableType:
    """Return all that a manifest tells, for people."""
    from esteira.jobs.verdict import evaluation_table

    outcome = release.outcome
    blocks: List[RenderableType] = [make_facts(facts(store, release)), parts_table(release)]
    values = other_than_default(store, release)
    if values:
        blocks.append(make_table(["value", "is", "default"], values))
    if outcome and outcome.evaluation:
        blocks.append(evaluation_table(outcome.evaluation))
    if outcome and outcome.error:
        blocks.append(Text(outcome.error, style=VERDICT_STYLES[verdict(release)]))
    if outcome:
        blocks.append(make_facts([("model", outcome.model), ("logs", outcome.logs), ("run", outcome.run)]))
    return Group(*(block for pair in zip(blocks, [""] * len(blocks)) for block in pair))


def facts(store: Store, release: Release) -> Iterator[Tuple[str, Cell]]:
    served = " (served now)" if read_pointer(store).release == release.id else ""
    yield "release", Text(release.id + served, style="bold")
    yield "kind", release.kind
    yield "reason", release.reason
    yield "by", release.by
    yield "when", f"{moment(release.at)} UTC"
    yield "commit", release.commit or "none"
    yield "changes", patch_place(store, release)
    yield "parent", release.parent or "none: nothing was served before"
    yield "restores", release.restores or ""
    yield "blessed", Text(verdict(release), style=VERDICT_STYLES[verdict(release)])
    yield "manifest", f"{store.uri}/{manifest_name(release.id)}"


def parts_table(release: Release) -> Table:
    parts = ordered_parts(release)
    rows = [(name, shorten(part.digest), shorten(part.content), part.uri) for name, part in parts]
    return make_table(["part", "made of", "content", "lies at"], rows)
