"""The layers of a lock's packages: those that are there, and the others made."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Callable, Dict, Iterable, List, Sequence

from esteira.errors import ImageError, StateError
from esteira.files import telling_os_errors
from esteira.images.layers.conflicts import check_conflicts, files_of
from esteira.images.layers.groups import Fetch, Group, WheelFile, fetch_nothing, group_wheels
from esteira.images.layers.key import layer_key
from esteira.images.layers.place import Place
from esteira.images.layers.skeleton import skeleton_entries, skeleton_key
from esteira.images.layers.store import Layer, LayerStore

# Of the wheels' size: byte code comes on top, and a little is packed less well.
ROOM = 1.3

Say = Callable[[str], None]


def package_layers(
    store: LayerStore, wheels: Sequence[WheelFile], place: Place, say: Say, fetch: Fetch = fetch_nothing
) -> List[Layer]:
    """Return the layers that hold the wheels, those that are not there yet made anew.

    Raises ImageError for a wheel that is damaged, is another one than the lock names, or writes a file
    that another one, or the virtual environment, has differently.
    """
    groups = {group_key(group, place): group for group in group_wheels(wheels)}
    together = [skeleton_key(place), *groups]
    is_checked = store.is_checked(together)
    if not is_checked and not all(store.knows_files(key) for key in groups):
        # Nothing tells what layers elsewhere hold, so that they could be compared with others.
        store = LayerStore(store.layout)
    missing = {key: group for key, group in groups.items() if store.find(key, group.name) is None}
    if missing:
        make_missing(store, missing, place, fetch, f"{len(groups) - len(missing)} are there", say)
    if not is_checked:
        check_conflicts([files_of(skeleton_entries(place)), *(store.files(key) for key in groups)])
        store.keep_checked(together)
    return [found_layer(store, key, group.name) for key, group in groups.items()]


def make_missing(
    store: LayerStore, missing: Dict[str, Group], place: Place, fetch: Fetch, others: str, say: Say
) -> None:
    """Make layers of packages, whose wheels are fetched before that."""
    from esteira.images.layers.making import make_layers

    check_space(store.layout.folder, missing.values())
    say(f"making {count_layers(len(missing))} of packages, {others}")
    fetch([wheel for group in missing.values() for wheel in group.wheels])
    make_layers(store.layout, missing, place)


def check_space(folder: Path, groups: Iterable[Group]) -> None:
    """Raise StateError unless the disk has room for the layers of some groups, about as large as their wheels."""
    needed = int(sum(group.size_bytes for group in groups) * ROOM)
    with telling_os_errors("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StateError(
            f"{folder}: has {free / 1e6:,.0f} MB free.\n"
            f"Expected {needed / 1e6:,.0f} MB for the layers that are to be made. "
            "Free some space, for example by make gc, then run the command again."
        )


def count_layers(number: int) -> str:
    return "1 layer" if number == 1 else f"{number} layers"


def group_key(group: Group, place: Place) -> str:
    return layer_key({"wheels": [[wheel.name, wheel.sha256] for wheel in group.wheels], "place": asdict(place)})


def found_layer(store: LayerStore, key: str, name: str) -> Layer:
    layer = store.find(key, name)
    if layer is None:
        raise ImageError(f"{store.layout.folder}: a layer vanished while it was used. Run the command again.")
    return layer
