"""What a collection would remove, and what it keeps and why, as people read it."""

import re
from typing import Dict, List, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from esteira.release.collection import Collection, Removal
from esteira.tables import make_table

NAMES = {
    "release": "release",
    "part": "part",
    "inputs": "listing of inputs",
    "model": "model",
    "output": "outputs of tasks",
    "image": "images",
    "logs": "logs",
    "unfinished": "unfinished",
}
# Enough of a digest to tell it from others.
HEX = re.compile("([0-9a-f]{12})[0-9a-f]{52}")
UNIT = 1000
UNITS = ("B", "kB", "MB", "GB", "TB")


def collection_table(collection: Collection) -> Group:
    """Return what stays, and what goes with the number and the size of its files."""
    kept = make_table(["kept release", "as it"], list(collection.kept.items()))
    blocks: List[RenderableType] = [kept] if collection.kept else []
    if collection.running:
        running = ", ".join(collection.running)
        blocks.append(Text(f"All models and outputs of tasks stay, as runs are under way: {running}"))
    return Group(*blocks, "", *removal_blocks(collection.removals))


def removal_blocks(removals: Sequence[Removal]) -> List[RenderableType]:
    if not removals:
        return ["Nothing is unused: there is nothing to remove."]
    rows = [(NAMES[r.kind], HEX.sub(r"\1…", r.name), f"{r.files:,}", size(r.size_bytes)) for r in by_run(removals)]
    files, size_bytes = sum(r.files for r in removals), sum(r.size_bytes for r in removals)
    rows.append(("", "in all", f"{files:,}", size(size_bytes)))
    return [make_table(["removed", "", "files", "size"], rows, right=["files", "size"])]


def by_run(removals: Sequence[Removal]) -> List[Removal]:
    """Return the removals with all outputs of a run, root/<run>/<task>, as one, and so all blobs of images."""
    found: Dict[str, Removal] = {}
    for removal in removals:
        name = removal.name.rpartition("/")[0] if removal.kind in ("output", "image") else removal.name
        before = found.get(name, Removal(removal.kind, name, 0, 0))
        found[name] = Removal(removal.kind, name, before.files + removal.files, before.size_bytes + removal.size_bytes)
    return list(found.values())


def size(size_bytes: int) -> str:
    """Return a number of bytes for people, such as 1.2 MB."""
    value, unit = float(size_bytes), 0
    while value >= UNIT and unit < len(UNITS) - 1:
        value, unit = value / UNIT, unit + 1
    return f"{value:.1f} {UNITS[unit]}" if unit else f"{size_bytes} B"
