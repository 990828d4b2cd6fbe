"""Making layers of wheels, side by side. Imported only where one is missing, as it takes a while."""

import multiprocessing
import os
import signal
import zipfile
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Sequence

from esteira.errors import ImageError
from esteira.images.layers.bytecode import compiler
from esteira.images.layers.entry import Entry
from esteira.images.layers.groups import Group, WheelFile
from esteira.images.layers.place import Place
from esteira.images.layers.store import LayerStore
from esteira.images.layers.wheel import wheel_entries
from esteira.images.layout import Layout
from esteira.local.jobs.process_death import die_with_parent
from esteira.release.digest import digest_file


def make_layers(layout: Layout, groups: Dict[str, Group], place: Place) -> None:
    """Make layers in processes of their own, the largest first, so that none is left for the end."""
    largest = sorted(groups.items(), key=lambda item: -item[1].size_bytes)
    if len(largest) == 1:
        make_layer(layout.folder, *largest[0], place)
        return
    # Forked, so that no worker reads tasks.py again; nothing here has started a thread.
    context = multiprocessing.get_context("fork")
    # A container or a batch system may allow fewer processors than there are.
    number = min(len(largest), len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(number, mp_context=context, initializer=start_worker, initargs=(os.getpid(),)) as pool:
        try:
            take_results([pool.submit(make_layer, layout.folder, key, group, place) for key, group in largest])
        except BrokenProcessPool:
            raise ImageError(
                "A process that makes a layer was ended, maybe for lack of memory. Run the command again: "
                "layers that are done are kept."
            ) from None
        except KeyboardInterrupt:
            # What they have begun could take a minute. The next build removes what they leave.
            end_workers()
            raise


def start_worker(parent: int) -> None:
    """Let a worker end with the build `parent`, for whose work it would wait for ever, and leave Ctrl-C to that."""
    die_with_parent(parent, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def end_workers() -> None:
    for worker in multiprocessing.active_children():
        worker.kill()


def take_results(made: "List[Future[None]]") -> None:
    """Wait for all; the first that fails raises its error, and what was not begun by then is left."""
    try:
        for future in made:
            future.result()
    finally:
        for future in made:
            future.cancel()


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
    size_bytes = wheel.path.stat().st_size
    if size_bytes != wheel.size_bytes:
        raise ImageError(
            f"{wheel.path}: has {size_bytes} bytes.\n"
            f"Expected {wheel.size_bytes}, as requirements.wheels has it. "
            f"Remove the line of {wheel.name} from it and run: make lock"
        )
