"""The wheels of a lock as an image needs them: told at once, fetched only where a layer must be made of them."""

from pathlib import Path
from typing import Dict, List, Sequence

from esteira.images.layers.groups import WheelFile, WheelSet
from esteira.images.wheels.locked import Wheel, wheels_of
from esteira.images.wheels.store import WheelStore


def wheel_set(lock: Path, store: WheelStore) -> WheelSet:
    """Return the wheels of a lock; ImageError with all faults if they cannot be read or are not the lock's."""
    wheels = wheels_of(lock)
    by_hash: Dict[str, Wheel] = {wheel.sha256: wheel for wheel in wheels}

    def fetch(files: Sequence[WheelFile]) -> None:
        store.fetch_missing([by_hash[file.sha256] for file in files])

    return WheelSet(wheel_files(wheels, store), fetch)


def wheel_files(wheels: Sequence[Wheel], store: WheelStore) -> List[WheelFile]:
    """Return the wheels with the paths where they lie, or will once they were fetched."""
    folder = store.folder
    return [
        WheelFile(
            wheel.name,
            wheel.version,
            wheel.sha256,
            store.find(wheel) or folder / wheel.sha256 / wheel.file,
            wheel.size_bytes,
        )
        for wheel in wheels
    ]
