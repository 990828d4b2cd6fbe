"""Removing what was made for an environment: only what bears our label, after all of it was named."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, List, NamedTuple, Set

from esteira.cloud.part import Part, Resource
from esteira.cloud.plan import AT_ONCE
from esteira.cloud.policy import Policy
from esteira.cloud.resources import parts, resources, same_project
from esteira.cloud.services import read_services
from esteira.cloud.serving import served
from esteira.cloud.superfluous import superfluous
from esteira.errors import GoogleError
from esteira.google.api import Api, Pause
from esteira.settings import Settings


class Removal(NamedTuple):
    """A part, the names of what goes with it, and what it holds."""

    part: Part
    names: List[str]
    contents: str


def plan_removal(settings: Settings, api: Api) -> List[Removal]:
    """Return what would be removed, in that order: what others need stays, as does what we have not made."""
    enabled = read_services(api)
    left = superfluous(settings, api, enabled)
    found: List[Part] = [*served(settings), *left, *reversed(parts(settings, enabled))]
    mine = [part for part in found if enabled.services[part.service] and not is_needed(settings, part)]

    def look(part: Part) -> Removal:
        names = part.names_to_remove(api)
        return Removal(part, names, part.contents(api) if names else "")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        removals = [removal for removal in pool.map(look, mine) if removal.names]
    going = {name for removal in removals if not isinstance(removal.part, Policy) for name in removal.names}
    return [removal for removal in removals if not goes_with(removal.part, going)]


def is_needed(settings: Settings, part: Part) -> bool:
    """Return whether another environment of the same project uses it, too."""
    if not isinstance(part, Resource):
        return False
    others = [(name, place) for name, place in same_project(settings) if name != settings.selected]
    return any(
        (part.kind, part.name) == (resource.kind, resource.name)
        for name, place in others
        for resource in resources(settings, name, place)
    )


def goes_with(part: Part, going: Set[str]) -> bool:
    """Return whether a policy goes with what it is for, a table with its dataset."""
    if isinstance(part, Policy):
        return part.what in going
    if isinstance(part, Resource) and part.kind == "table":
        return f"dataset {part.name.partition('.')[0]}" in going
    return False


def refuse_contents(settings: Settings, removals: List[Removal], force: bool) -> None:
    """Raise GoogleError where data would be lost and nobody has said that it may."""
    held = [removal.contents for removal in removals if removal.contents]
    if held and not force:
        raise GoogleError(
            "Nothing was removed: this would be lost.\n"
            + "\n".join(held)
            + f"\nTo remove it all the same: make cloud-destroy ENV={settings.selected} FORCE=1"
        )


def destroy(api: Api, removals: List[Removal], say: Callable[[str], None], pause: Pause = time.sleep) -> None:
    """Remove it. It may be interrupted at any time, and run again."""
    for removal in removals:
        removal.part.remove(api, pause)
        for name in removal.names:
            say(f"removed {name}")
