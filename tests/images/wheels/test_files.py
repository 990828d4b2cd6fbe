"""The wheels of a lock are told without their files, and fetched when they are needed."""

from pathlib import Path

import pytest

from esteira.images.layers.groups import WheelFile
from esteira.images.wheels.files import wheel_set
from tests.images.wheels.toys import lock_of, make_wheel, toy_store, wheels_line

pytestmark = pytest.mark.programs


def test_wheels_are_told_at_once_and_fetched_where_they_are_said_to_be(tmp_path: Path) -> None:
    index, lock = tmp_path / "index", tmp_path / "requirements.lock"
    paths = [make_wheel(index, name) for name in ("toyone", "toytwo")]
    lock.write_text(lock_of(*paths))
    lock.with_suffix(".wheels").write_text("".join(map(wheels_line, paths)))
    store = toy_store(tmp_path, index)
    wheels = wheel_set(lock, store)
    one, two = wheels.files
    assert one == WheelFile("toyone", "1.0", one.sha256, store.folder / one.sha256 / paths[0].name, one.size_bytes)
    assert one.size_bytes == paths[0].stat().st_size and not one.path.exists()
    wheels.fetch([two])
    assert two.path.read_bytes() == paths[1].read_bytes() and not one.path.exists()
    assert wheel_set(lock, store).files == wheels.files
