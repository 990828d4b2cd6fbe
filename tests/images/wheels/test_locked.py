"""Reading locks and the wheels that were chosen from them."""

from pathlib import Path

import pytest

from esteira.errors import ImageError
from esteira.images.wheels.locked import Locked, Wheel, read_lock, read_wheels, wheels_of
from tests.conftest import REPOSITORY

A, B, C = "a" * 64, "b" * 64, "c" * 64
LOCK = f"""# made by a test
Foo.Bar==1.0 \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
    # via
    #   tfx
pure[extra]==2.0+local --hash=sha256:{C}
"""
WHEELS = f"""# made by a test
foo-bar==1.0 --hash=sha256:{A}  # Foo.Bar-1.0-cp38-cp38-manylinux2014_x86_64.whl, 12 bytes
pure==2.0+local --hash=sha256:{B}  # pure-2.0+local-py3-none-any.whl, 3456 bytes, built from sha256:{C}
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK)
    path.with_suffix(".wheels").write_text(WHEELS)
    return path


def test_a_lock_is_read_with_every_hash_and_place(lock: Path) -> None:
    assert read_lock(lock) == [
        Locked("foo-bar", "1.0", frozenset([A, B]), f"{lock}:2"),
        Locked("pure", "2.0+local", frozenset([C]), f"{lock}:7"),
    ]


def test_wheels_are_read_with_what_they_were_built_from(lock: Path) -> None:
    path = lock.with_suffix(".wheels")
    assert wheels_of(lock) == [
        Wheel("foo-bar", "1.0", "Foo.Bar-1.0-cp38-cp38-manylinux2014_x86_64.whl", A, 12, "", f"{path}:2"),
        Wheel("pure", "2.0+local", "pure-2.0+local-py3-none-any.whl", B, 3456, C, f"{path}:3"),
    ]


def test_the_committed_wheels_are_those_of_the_committed_lock() -> None:
    wheels = wheels_of(REPOSITORY / "requirements.lock")
    assert {"kfp", "crcmod", "pyfarmhash"} <= {wheel.name for wheel in wheels if wheel.source}
    assert len({wheel.file for wheel in wheels}) == len(wheels)


def test_entries_without_a_hash_and_unreadable_ones_are_all_told(lock: Path) -> None:
    lock.write_text(
        f"foo==1.0\n-e .\nbar==1 --hash=sha256:{A} --hash=sha256:00\nbaz==1 \\\n  # via\nqux==1 --hash=md5:0\n"
    )
    with pytest.raises(ImageError) as raised:
        read_lock(lock)
    expected = "Expected name==version --hash=sha256:<64 hex>."
    assert str(raised.value).splitlines() == [
        f'{lock}:1: "foo==1.0" has no hash. Expected --hash=sha256:<64 hex> for each of its distributions.',
        f'{lock}:2: "-e ." is no entry of a lock. {expected}',
        f'{lock}:3: "bar==1 --hash=sha256:{A} --hash=sha256:00" is no entry of a lock. {expected}',
        f'{lock}:4: "baz==1" has no hash. Expected --hash=sha256:<64 hex> for each of its distributions.',
        f'{lock}:6: "qux==1 --hash=md5:0" is no entry of a lock. {expected}',
        "Run: make lock",
    ]


def test_a_line_that_names_no_wheel_is_told(lock: Path) -> None:
    path = lock.with_suffix(".wheels")
    path.write_text(f"foo==1.0 --hash=sha256:{A}\n")
    with pytest.raises(ImageError) as raised:
        read_wheels(path)
    assert str(raised.value).splitlines() == [
        f'{path}:1: "foo==1.0 --hash=sha256:{A}" names no wheel. '
        "Expected name==version --hash=sha256:<64 hex>  # <file>.whl, <size> bytes",
        "Run: make lock",
    ]


def test_wheels_that_are_not_the_locks_are_all_told(lock: Path) -> None:
    path = lock.with_suffix(".wheels")
    lock.write_text(LOCK + f"new==1.0 --hash=sha256:{A}\nnewer==2.0 --hash=sha256:{A}\n")
    path.write_text(
        WHEELS.replace(f"sha256:{C}", f"sha256:{A}").replace(A, C, 1)
        + f"newer==1.0 --hash=sha256:{A}  # newer-1.0-py3-none-any.whl, 1 bytes\n"
        + f"old==1.0 --hash=sha256:{A}  # old-1.0-py3-none-any.whl, 1 bytes\n"
    )
    with pytest.raises(ImageError) as raised:
        wheels_of(lock)
    assert str(raised.value).splitlines() == [
        f"{path}: is not made from {lock}:",
        f"  {path}:2: foo-bar==1.0: the lock does not have the wheel sha256:{C}.",
        f"  {path}:3: pure==2.0+local: the lock does not have the source sha256:{A}.",
        f"  {lock}:8: new==1.0 has no wheel there.",
        f"  {path}:4: newer==1.0, and the lock has 2.0.",
        f"  {path}:5: old==1.0 is not in the lock.",
        "Run: make lock",
    ]


def test_a_missing_file_is_told(lock: Path) -> None:
    path = lock.with_suffix(".wheels")
    path.unlink()
    with pytest.raises(ImageError) as raised:
        wheels_of(lock)
    assert str(raised.value) == f"{path}: no such file. Run: make lock"
