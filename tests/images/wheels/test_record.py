"""Choosing a lock's wheels and recording them, with the real pip, a folder as its index, and real builds."""

import os
import shutil
from pathlib import Path

import pytest

from esteira.cache import cache_folders, hash_file
from esteira.errors import ImageError
from esteira.images.wheels.builder import inputs_digest
from esteira.images.wheels.check import check_recorded
from esteira.images.wheels.locked import wheels_of
from esteira.images.wheels.record import record_wheels
from esteira.images.wheels.store import BUILD_LOCK, WheelStore
from tests.conftest import REPOSITORY
from tests.images.wheels.toys import SETUP, lock_of, make_source, make_wheel, toy_store, wheels_line

pytestmark = pytest.mark.programs
PLATFORM = "linux/amd64 (CPython 3.8, glibc 2.28)"
HEAD = f"# The wheels of requirements.lock for {PLATFORM}, by their bytes. Made from it by: make lock\n"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A package with two wheels for the platform, and one that exists only as source."""
    folder = tmp_path / "index"
    make_wheel(folder, "toyone")
    make_wheel(folder, "toyone", tag="cp38-cp38-manylinux_2_17_x86_64", content="BEST = 1\n")
    make_wheel(folder, "toyone", tag="cp39-cp39-manylinux_2_17_x86_64")
    make_source(folder, "toysource", {"setup.py": SETUP.format(name="toysource"), "toysource.py": ""})
    return folder


@pytest.fixture
def store(tmp_path: Path, index: Path) -> WheelStore:
    """A store of its own, with the user's build environment."""
    made = toy_store(tmp_path, index)
    made.builders = cache_folders("builders", REPOSITORY / ".esteira", os.environ)
    return made


@pytest.fixture
def lock(tmp_path: Path, index: Path) -> Path:
    path = tmp_path / "requirements.lock"
    hashes = " \\\n    ".join(f"--hash=sha256:{hash_file(file)}" for file in sorted(index.glob("toyone*")))
    path.write_text(f"toyone==1.0 \\\n    {hashes}\n" + lock_of(*index.glob("toysource*")))
    return path


def test_the_best_wheel_is_recorded_and_a_source_is_built(lock: Path, index: Path, store: WheelStore) -> None:
    record_wheels(lock, store)
    one, built = wheels_of(lock)
    inputs = inputs_digest(REPOSITORY / BUILD_LOCK)
    assert one.file == "toyone-1.0-cp38-cp38-manylinux_2_17_x86_64.whl"
    assert (built.file, built.source) == (
        "toysource-1.0-py3-none-any.whl",
        hash_file(index / "toysource-1.0.tar.gz"),
    )
    assert lock.with_suffix(".wheels").read_text() == (
        HEAD
        + "# What an index has only as source is built on each machine, always to the same bytes: make wheels-check\n"
        f"# Built with sha256:{inputs} (docker/build.lock, esteira/images/wheels/target)\n"
        f"toyone==1.0 --hash=sha256:{one.sha256}  # {one.file}, {one.size_bytes} bytes\n"
        f"toysource==1.0 --hash=sha256:{built.sha256}  # {built.file}, {built.size_bytes} bytes, "
        f"built from sha256:{built.source}\n"
    )
    assert store.find(one) and store.find(built)


def test_another_machine_builds_the_recorded_bytes(lock: Path, tmp_path: Path, index: Path, store: WheelStore) -> None:
    record_wheels(lock, store)
    another = toy_store(tmp_path / "another", index)
    another.builders = store.builders
    another.fetch_missing(wheels_of(lock))
    assert [hash_file(another.path(wheel)) for wheel in wheels_of(lock)] == [wheel.sha256 for wheel in wheels_of(lock)]
    assert check_recorded(lock, another) == 2


def test_other_built_bytes_are_refused(lock: Path, store: WheelStore) -> None:
    record_wheels(lock, store)
    path = lock.with_suffix(".wheels")
    right = wheels_of(lock)[1]
    path.write_text(path.read_text().replace(right.sha256, "0" * 64))
    with pytest.raises(ImageError) as raised:
        store.fetch_missing(wheels_of(lock))
    assert str(raised.value).splitlines() == [
        f"{path}:5: toysource==1.0: its source was built to other bytes here: {right.file}, sha256:{right.sha256}.",
        f"Expected {right.file}, sha256:{'0' * 64}, as on the machine that ran make lock. "
        "If docker/build.lock or esteira/images/wheels was changed on purpose, "
        f"remove its line from {path} and run: make lock",
    ]
    with pytest.raises(ImageError) as raised:
        check_recorded(lock, store)
    line = f"{right.file}, {right.size_bytes} bytes, built from sha256:{right.source}"
    assert str(raised.value).splitlines() == [
        f"{path}: is not what {lock} gives here:",
        f"  -toysource==1.0 --hash=sha256:{'0' * 64}  # {line}",
        f"  +toysource==1.0 --hash=sha256:{right.sha256}  # {line}",
        "Expected the same wheels, and built ones of the same bytes, on every machine. "
        "To take these, remove the lines from it and run: make lock",
    ]


def test_what_the_lock_still_has_stays_without_an_index(lock: Path, index: Path, store: WheelStore) -> None:
    plain = index / "toyone-1.0-py3-none-any.whl"
    lock.with_suffix(".wheels").write_text(
        wheels_line(plain) + "gone==1.0 --hash=sha256:" + "0" * 64 + "  # gone.whl, 1 bytes\n"
    )
    lock.write_text(lock_of(plain))
    shutil.rmtree(index)
    record_wheels(lock, store)
    assert lock.with_suffix(".wheels").read_text().startswith(HEAD + "toyone==1.0 ")
    assert [wheel.file for wheel in wheels_of(lock)] == [plain.name]


def test_neither_a_wheel_for_the_platform_nor_a_source_is_told(lock: Path, index: Path, store: WheelStore) -> None:
    foreign = make_wheel(index, "toyforeign", tag="cp38-cp38-win_amd64")
    lock.write_text(lock_of(foreign))
    with pytest.raises(ImageError) as raised:
        record_wheels(lock, store)
    told = str(raised.value).splitlines()
    assert told[0] == (f"{lock}:2: toyforeign==1.0: no wheel for {PLATFORM} and no source distribution can be had:")
    assert told[-1] == (
        "Expected one of them in a package index. Name another version in requirements.in, and run: make lock"
    )
    assert not lock.with_suffix(".wheels").exists()
