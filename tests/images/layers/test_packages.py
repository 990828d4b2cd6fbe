"""Layers of packages: what is there is left alone, what is damaged is told, and a killed build leaves nothing torn."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from esteira.errors import ImageError, StateError
from esteira.images.layers.groups import WheelFile, bucket_of
from esteira.images.layers.packages import package_layers
from esteira.images.layers.store import LayerStore
from esteira.images.layout import Layout
from esteira.release.digest import digest_file
from tests.conftest import REPOSITORY
from tests.images.image_made import tiny_wheels
from tests.images.layers_read import PLACE, SITE, extract, say_nothing, tree_of
from tests.images.wheels_made import LARGE, damage, make_wheel, wheel_file

pytestmark = pytest.mark.programs
# Builds the layers of the wheels in a folder, in a layout, and prints their digests.
BUILD = """
import sys
from pathlib import Path
from esteira.images.layers.packages import package_layers
from esteira.images.layers.store import LayerStore
from esteira.images.layout import Layout
from tests.images.layers_read import PLACE
from tests.images.wheels_made import wheel_file
wheels = [wheel_file(path, *path.name.split("-")[:2]) for path in sorted(Path(sys.argv[1]).glob("*.whl"))]
for layer in package_layers(LayerStore(Layout(Path(sys.argv[2]))), wheels, PLACE, lambda text: None):
    print(layer.digest)
"""
DEADLINE_S = 60


def build(layout: Layout, wheels: List[WheelFile]) -> List[str]:
    return [layer.digest for layer in package_layers(LayerStore(layout), wheels, PLACE, say_nothing)]


def start_build(wheels: Path, layout: Path, *, start_new_session: bool = False) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", BUILD, str(wheels), str(layout)]
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=start_new_session,
    )


def stamps(layout: Layout) -> Dict[str, object]:
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in (layout.folder / "blobs" / "sha256").iterdir()
    }


def assert_sound(layout: Layout) -> None:
    """Assert that each blob has the digest that it is named by."""
    for path in (layout.folder / "blobs" / "sha256").iterdir():
        assert digest_file(path) == f"sha256:{path.name}"


def test_layers_that_are_there_are_not_written_again(tmp_path: Path) -> None:
    layout, wheels, said = Layout(tmp_path / "images"), tiny_wheels(tmp_path), []  # type: ignore[var-annotated]
    first = package_layers(LayerStore(layout), wheels, PLACE, said.append)
    before = stamps(layout)
    assert package_layers(LayerStore(layout), wheels[::-1], PLACE, said.append) == first
    assert stamps(layout) == before
    assert said == ["making 3 layers of packages, 0 are there"]


def test_a_bump_of_a_wheel_makes_one_layer(tmp_path: Path) -> None:
    layout, wheels, said = Layout(tmp_path / "images"), tiny_wheels(tmp_path), []  # type: ignore[var-annotated]
    first = build(layout, wheels)
    before = stamps(layout)
    bumped = make_wheel(tmp_path, "one", {"one/__init__.py": "import rich\nONE = 2\n"}, version="1.1")
    second = [one.digest for one in package_layers(LayerStore(layout), [bumped, *wheels[1:]], PLACE, said.append)]
    assert said == ["making 1 layer of packages, 2 are there"]
    assert len(set(first) - set(second)) == 1
    assert {name: stamps(layout)[name] for name in before} == before


def test_a_blob_that_is_gone_is_made_again(tmp_path: Path) -> None:
    layout, wheels = Layout(tmp_path / "images"), tiny_wheels(tmp_path)
    first = build(layout, wheels)
    layout.blob(first[0]).unlink()
    assert build(layout, wheels) == first
    assert_sound(layout)


def test_packages_are_imported_from_the_layers(tmp_path: Path) -> None:
    layout, wheels = Layout(tmp_path / "images"), tiny_wheels(tmp_path)
    root = extract(layout, package_layers(LayerStore(layout), wheels, PLACE, say_nothing), tmp_path / "root")
    code = "import one, rich_more, stored, rich.large; print(len(rich.large.TEXT), rich.large.__cached__)"
    command = [sys.executable, "-S", "-c", code]
    for source in root.rglob("large.py"):
        source.write_text("TEXT = 'read from the source'\n")
    told = subprocess.run(command, env={"PYTHONPATH": str(root / SITE)}, capture_output=True, text=True, check=True)
    assert told.stdout == f"{len(LARGE)} {root / SITE}/rich/__pycache__/large.cpython-38.pyc\n"


def test_other_bytes_than_the_locks_are_told(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "one", {"one.py": ""})
    wrong = replace(wheel, sha256="0" * 64)
    with pytest.raises(ImageError) as caught:
        build(Layout(tmp_path / "images"), [wrong])
    assert str(caught.value) == (
        f"{wheel.path}: has the hash sha256:{wheel.sha256}.\n"
        f"Expected sha256:{'0' * 64}, which the lock names for one 1.0. Remove it and run: make wheels"
    )


def test_a_fault_in_one_of_many_layers_is_told(tmp_path: Path) -> None:
    """Through the process that made it; the sound layers are kept."""
    wheels = tiny_wheels(tmp_path)
    wheels[0].path.write_bytes(b"another")
    layout = Layout(tmp_path / "images")
    with pytest.raises(ImageError, match=r"^.*one-1\.0-py3-none-any\.whl: has the hash sha256:"):
        build(layout, wheels)
    assert_sound(layout)


def test_a_wheel_that_is_cut_off_is_told(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "one", {"one.py": LARGE})
    wheel.path.write_bytes(wheel.path.read_bytes()[:-100])
    cut = wheel_file(wheel.path, "one", "1.0")
    with pytest.raises(ImageError) as caught:
        build(Layout(tmp_path / "images"), [cut])
    assert str(caught.value) == (
        f"{wheel.path}: cannot be read as a wheel: File is not a zip file. Remove it and run: make wheels"
    )


def test_a_wheel_that_is_gone_is_told(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "one", {"one.py": LARGE})
    wheel.path.unlink()
    with pytest.raises(ImageError) as caught:
        build(Layout(tmp_path / "images"), [wheel])
    assert str(caught.value) == f"{wheel.path}: cannot be read: No such file or directory. Run: make wheels"


@pytest.mark.parametrize(
    ("name", "content"), [("data.txt", "small\n" * 9), ("data.txt", LARGE), ("module.py", "x=1\n" * 9)]
)
def test_a_file_that_is_damaged_in_a_wheel_is_told(tmp_path: Path, name: str, content: str) -> None:
    wheel = make_wheel(tmp_path, "one", {name: content}, stored=len(content) < 100)
    damage(wheel.path, name)
    layout = Layout(tmp_path / "images")
    with pytest.raises(ImageError) as caught:
        build(layout, [wheel_file(wheel.path, "one", "1.0")])
    assert str(caught.value).startswith(f"{wheel.path}: ") and name in str(caught.value)
    assert list((layout.folder / "scratch").iterdir()) == []
    assert not (layout.folder / "blobs").exists()


def two_that_differ(folder: Path, name: str) -> List[WheelFile]:
    return [
        make_wheel(folder, "one", {"common/x.py": "x = 1\n"}),
        make_wheel(folder, name, {"common/x.py": "x = 2\n", "common/y.py": ""}),
    ]


@pytest.mark.parametrize(("name", "first", "second"), [("two", "one 1.0", "two 1.0"), ("p47", "one 1.0", "p47 1.0")])
def test_packages_that_write_a_file_differently_are_told(tmp_path: Path, name: str, first: str, second: str) -> None:
    """In one layer and across layers, and without the byte code, which differs then, too."""
    assert (bucket_of(name) == bucket_of("one")) == (name == "p47")
    with pytest.raises(ImageError) as caught:
        build(Layout(tmp_path / "images"), two_that_differ(tmp_path, name))
    assert str(caught.value) == (
        f"/{SITE}/common/x.py: {first} and {second} write it differently.\n"
        "Expected equal files, since the one that is installed last would win. "
        "Keep one of the two packages, or a version that fits, in requirements.in and run: make lock"
    )


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("scripts/python", "/opt/venv/bin/python: the virtual environment and one 1.0 write it differently."),
        ("data/pyvenv.cfg", "/opt/venv/pyvenv.cfg: the virtual environment and one 1.0 write it differently."),
        ("data/lib64/x.txt", "/opt/venv/lib64: the virtual environment has a link there, and one 1.0 files below it."),
        ("data/bin", "/opt/venv/bin: one 1.0 has a file there, and the virtual environment files below it."),
    ],
)
def test_a_package_that_writes_over_the_virtual_environment_is_told(tmp_path: Path, path: str, told: str) -> None:
    wheel = make_wheel(tmp_path, "one", {f"one-1.0.data/{path}": "another\n"})
    for _ in range(2):
        with pytest.raises(ImageError) as caught:
            build(Layout(tmp_path / "images"), [wheel])
        lines = str(caught.value).splitlines()
        assert lines[0] == told
        assert lines[1].endswith(
            "Leave the package out, or keep a version that fits, in requirements.in and run: make lock"
        )


def test_layers_that_do_not_fit_are_told_each_time(tmp_path: Path) -> None:
    layout, wheels = Layout(tmp_path / "images"), two_that_differ(tmp_path, "two")
    for _ in range(2):
        with pytest.raises(ImageError, match="write it differently"):
            build(layout, wheels)


def test_packages_that_write_a_file_alike_are_fine(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "images")
    wheels = [make_wheel(tmp_path, name, {"common/x.py": "x = 1\n"}) for name in ("one", "two")]
    tree = tree_of(layout, package_layers(LayerStore(layout), wheels, PLACE, say_nothing))
    assert tree[f"{SITE}/common/x.py"].content == b"x = 1\n"


def large_wheels(folder: Path) -> List[WheelFile]:
    """Return wheels whose layers take a while to make: random bytes that are packed again."""
    return [make_wheel(folder, name, {f"{name}.bin": os.urandom(24 << 20)}, stored=True) for name in ("one", "two")]


def test_a_build_that_is_killed_leaves_nothing_torn_and_the_next_one_goes_on(tmp_path: Path) -> None:
    wheels, layout = large_wheels(tmp_path / "wheels"), Layout(tmp_path / "images")
    process = start_build(tmp_path / "wheels", layout.folder)
    wait_until(lambda: is_being_written(layout.folder / "scratch"))
    children = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert len(children) >= 1
    wait_until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    if (layout.folder / "blobs").exists():
        assert_sound(layout)
    assert build(layout, wheels) == build(Layout(tmp_path / "other"), wheels)
    assert_sound(layout)
    # What was left is gone.
    assert list((layout.folder / "scratch").iterdir()) == []


def test_a_build_ends_at_ctrl_c_without_a_word_of_its_workers(tmp_path: Path) -> None:
    """The terminal sends SIGINT to all of them: only the build itself raises KeyboardInterrupt."""
    large_wheels(tmp_path / "wheels")
    process = start_build(tmp_path / "wheels", tmp_path / "images", start_new_session=True)
    wait_until(lambda: is_being_written(tmp_path / "images" / "scratch"))
    children = children_of(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == -signal.SIGINT
    assert len(children) >= 1
    assert told.count("Traceback") == 1 and told.endswith("\nKeyboardInterrupt\n"), told
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_two_builds_at_once_in_one_layout_make_one_image(tmp_path: Path) -> None:
    large_wheels(tmp_path / "wheels")
    tiny_wheels(tmp_path / "wheels")
    builds = [start_build(tmp_path / "wheels", tmp_path / "images") for _ in range(3)]
    told = [process.communicate() for process in builds]
    assert [process.returncode for process in builds] == [0, 0, 0], told
    assert len({out for out, _ in told}) == 1
    assert_sound(Layout(tmp_path / "images"))
    # Each layer was made by one of them.
    assert list((tmp_path / "images" / "scratch").iterdir()) == []


def test_no_room_on_the_disk_is_told_before_anything_is_made(tmp_path: Path) -> None:
    wheel = replace(make_wheel(tmp_path, "one", {"one.py": ""}), size_bytes=1 << 50)
    with pytest.raises(StateError) as caught:
        build(Layout(tmp_path / "images"), [wheel])
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{tmp_path / 'images'}: has ") and lines[0].endswith(" MB free.")
    assert lines[1] == (
        "Expected 1,463,669,879 MB for the layers that are to be made. "
        "Free some space, for example by make gc, then run the command again."
    )
    assert list((tmp_path / "images").iterdir()) == []


def is_being_written(folder: Path) -> bool:
    try:
        return any(path.is_file() and path.stat().st_size for path in folder.rglob("*"))
    except FileNotFoundError:
        return False


def wait_until(is_so: Callable[[], bool]) -> None:
    limit_s = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < limit_s, "it has not come about"
        time.sleep(0.01)


def children_of(pid: int) -> List[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def test_a_wheel_of_another_size_than_recorded_is_told(tmp_path: Path) -> None:
    layout, wheel = Layout(tmp_path / "images"), make_wheel(tmp_path / "wheels", "one", {"one.py": ""})
    with pytest.raises(ImageError) as caught:
        build(layout, [replace(wheel, size_bytes=5 << 20)])
    assert str(caught.value) == (
        f"{wheel.path}: has {wheel.size_bytes} bytes.\nExpected {5 << 20}, as requirements.wheels has it. "
        "Remove the line of one from it and run: make lock"
    )


def test_only_the_wheels_of_layers_that_are_made_are_fetched(tmp_path: Path) -> None:
    layout, wheels = Layout(tmp_path / "images"), tiny_wheels(tmp_path / "wheels")
    fetched: List[WheelFile] = []
    build(layout, wheels[:1])
    for _ in range(2):
        package_layers(LayerStore(layout), wheels, PLACE, say_nothing, fetched.extend)
        assert sorted(wheel.name for wheel in fetched) == ["rich", "stored"]
