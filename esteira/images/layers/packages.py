"""The layers of a lock's packages, made side by side."""

import multiprocessing
import os
import shutil
import signal
import zipfile
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Sequence

from esteira.errors import ImageError, StateError
from esteira.files import telling_os_errors
from esteira.images.layers.bytecode import compiler
from esteira.images.layers.conflicts import check_conflicts
from esteira.images.layers.entry import Entry
from esteira.images.layers.groups import Group, WheelFile, group_wheels
from esteira.images.layers.key import layer_key
from esteira.images.layers.place import Place
from esteira.images.layers.store import Layer, LayerStore
from esteira.images.layers.wheel import wheel_entries
from esteira.images.layout import Layout
from esteira.local.jobs.process_death import die_with_parent
from esteira.release.digest import digest_file

# Of the wheels' size: byte code comes on top, and a little is packed less well.
ROOM = 1.3

Say = Callable[[str], None]


def package_layers(layout: Layout, wheels: Sequence[WheelFile], place: Place, say: Say) -> List[Layer]:
    """Return the layers that hold the wheels, those that are not there yet made anew.

    Raises ImageError for a wheel that is damaged, is another one than the lock names, or writes a file
    that another one writes differently.
    """
    store = LayerStore(layout)
    groups = {group_key(group, place): group for group in group_wheels(wheels)}
    missing = {key: group for key, group in groups.items() if store.find(key) is None}
    if missing:
        check_space(layout.folder, missing.values())
        say(f"making {count_layers(len(missing))} of packages, {len(groups) - len(missing)} are there")
        make_layers(layout, missing, place)
    keys = list(groups)
    if not store.is_checked(keys):
        check_conflicts(store.files(key) for key in keys)
        store.keep_checked(keys)
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


def make_layers(layout: Layout, groups: Dict[str, Group], place: Place) -> None:
    """Make layers in processes of their own, the largest first, so that none is left for the end."""
    largest = sorted(groups.items(), key=lambda item: -item[1].size_bytes)
    if len(largest) == 1:
        make_layer(layout.folder, *largest[0], place)
        return
    # Forked, so that no worker reads tasks.py again; nothing here has started a thread.
    context = multiprocessing.get_context("fork")
    number = min(len(largest), os.cpu_count() or 1)
    # Workers of a build that is killed would wait for work for ever.
    ending = (os.getpid(), signal.SIGKILL)
    with ProcessPoolExecutor(number, mp_context=context, initializer=die_with_parent, initargs=ending) as pool:
        made = [pool.submit(make_layer, layout.folder, key, group, place) for key, group in largest]
        try:
            take_results(made)
        except BrokenProcessPool:
            raise ImageError(
                "A process that makes a layer was ended, maybe for lack of memory. Run the command again: "
                "layers that are done are kept."
            ) from None
        finally:
            for future in made:
                future.cancel()


def take_results(made: "List[Future[None]]") -> None:
    for future in made:
        future.result()


def make_layer(folder: Path, key: str, group: Group, place: Place) -> None:
    """Make one layer of wheels; the work of one process."""
    LayerStore(Layout(folder)).make(key, group.name, lambda: installed(group, place))


@contextmanager
def installed(group: Group, place: Place) -> Iterator[Sequence[Entry]]:
    """Give the entries of a group's wheels, which stay open meanwhile."""
    with ExitStack() as stack, compiler() as compiling:
        entries: List[Entry] = []
        for wheel in group.wheels:
            check_wheel(wheel)
            archive = stack.enter_context(open_wheel(wheel))
            entries += wheel_entries(archive, f"{wheel.name} {wheel.version}", place, compiling)
        yield entries


def open_wheel(wheel: WheelFile) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(wheel.path)
    except (OSError, zipfile.BadZipFile) as error:
        raise ImageError(f"{wheel.path}: cannot be read as a wheel: {error}. Remove it and run: make wheels") from None


def check_wheel(wheel: WheelFile) -> None:
    """Raise ImageError unless the file has the hash that it was chosen by."""
    try:
        digest = digest_file(wheel.path)
    except OSError as error:
        raise ImageError(f"{wheel.path}: cannot be read: {error.strerror}. Run: make wheels") from None
    if digest != f"sha256:{wheel.sha256}":
        raise ImageError(
            f"{wheel.path}: has the hash {digest}.\n"
            f"Expected sha256:{wheel.sha256}, which the lock names for {wheel.name} {wheel.version}. "
            "Remove it and run: make wheels"
        )
