"""The layers of a lock's packages: those that are there, and the others made."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Callable, Iterable, List, Sequence

from esteira.errors import ImageError, StateError
from esteira.files import telling_os_errors
from esteira.images.layers.conflicts import check_conflicts, files_of
from esteira.images.layers.groups import Group, WheelFile, group_wheels
from esteira.images.layers.key import layer_key
from esteira.images.layers.place import Place
from esteira.images.layers.skeleton import skeleton_entries, skeleton_key
from esteira.images.layers.store import Layer, LayerStore
from esteira.images.layout import Layout

# Of the wheels' size: byte code comes on top, and a little is packed less well.
ROOM = 1.3

Say = Callable[[str], None]


def package_layers(layout: Layout, wheels: Sequence[WheelFile], place: Place, say: Say) -> List[Layer]:
    """Return the layers that hold the wheels, those that are not there yet made anew.

    Raises ImageError for a wheel that is damaged, is another one than the lock names, or writes a file
    that another one, or the virtual environment, has differently.
    """
    store = LayerStore(layout)
    groups = {group_key(group, place): group for group in group_wheels(wheels)}
    missing = {key: group for key, group in groups.items() if store.find(key) is None}
    if missing:
        from esteira.images.layers.making import make_layers

        check_space(layout.folder, missing.values())
        say(f"making {count_layers(len(missing))} of packages, {len(groups) - len(missing)} are there")
        make_layers(layout, missing, place)
    keys = list(groups)
    together = [skeleton_key(place), *keys]
    if not store.is_checked(together):
        check_conflicts([files_of(skeleton_entries(place)), *(store.files(key) for key in keys)])
        store.keep_checked(together)
    return [found_layer(store, key) for key in keys]


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


def found_layer(store: LayerStore, key: str) -> Layer:
    layer = store.find(key)
    if layer is None:
        raise ImageError(f"{store.layout.folder}: a layer vanished while it was used. Run the command again.")
    return layer
