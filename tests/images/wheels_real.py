"""Wheels that others made, from the store that the environment of the project is made of."""

import os
from pathlib import Path

from esteira.images.layers.groups import WheelFile
from esteira.images.wheels.locked import wheels_of
from esteira.images.wheels.store import wheel_store
from tests.conftest import REPOSITORY
from tests.images.wheels_made import wheel_file


def real_wheel(folder: Path, name: str) -> WheelFile:
    """Return a wheel of this repository's lock; ImageError that says how to get it if it is not in the store."""
    (wheel,) = [wheel for wheel in wheels_of(REPOSITORY / "requirements.lock") if wheel.name == name]
    path = wheel_store(REPOSITORY, folder, os.environ).path(wheel)
    return wheel_file(path, wheel.name, wheel.version)
