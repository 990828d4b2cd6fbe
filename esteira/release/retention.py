"""Which releases a collection keeps, and why."""

from typing import Collection, Dict, List

from esteira.release.manifest import Release
from esteira.release.rollback import way_back


def kept_releases(releases: List[Release], current: str, keep: int, running: Collection[str] = ()) -> Dict[str, str]:
    """Return why each release that stays does, by its id.

    `releases` are all there are, the newest first; `running` the ids of those whose job runs. With a
    kept release stays the one that it brought back, and with the current one all that leads a rollback.
    """
    known = {release.id: release for release in releases}
    kept: Dict[str, str] = {}
    if current in known:
        kept[current] = "is served"
        *steps, target = way_back(known[current], known.get) or [known[current]]
        kept.setdefault(target.id, "a rollback goes back to it")
        kept.update({step.id: "leads a rollback" for step in steps if step.id not in kept})
    kept.update({name: "its job may be running" for name in running if name in known and name not in kept})
    for release in releases[:keep]:
        kept.setdefault(release.id, "is the newest" if keep == 1 else f"is one of the newest {keep}")
    for name in list(kept):
        origin = known[name].origin
        if origin in known:
            kept.setdefault(origin, f"release {name} brought it back")
    return kept
