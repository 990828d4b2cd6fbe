"""What is laid down of a wheel is what pip lays down, path by path and byte by byte."""

import csv
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

import pytest

from esteira.errors import ImageError
from esteira.images.layers.groups import WheelFile
from esteira.images.layers.packages import package_layers
from esteira.images.layers.place import Place
from esteira.images.layers.store import LayerStore
from esteira.images.layers.wheel import wheel_entries
from esteira.images.layout import Layout
from tests.images.layers_read import PLACE, SITE, say_nothing, tree_of
from tests.images.wheels_made import CONSOLE, make_wheel, rich_wheel, wheel_file
from tests.images.wheels_real import real_wheel

# What pip writes and an image need not have, and what a virtual environment has before it.
ONLY_PIP = ("INSTALLER", "REQUESTED", "direct_url.json")
# Real ones: entry points, extension modules, a .pth file, vendored packages, a data folder; built here or not.
REAL = ("charset-normalizer", "jsonschema", "setuptools", "bleach", "crcmod", "pyyaml", "widgetsnbextension")


class Laid(NamedTuple):
    """A file as it lies: whether it is a program, and its content; b"" for byte code."""

    program: bool
    content: bytes


@pytest.mark.programs
def test_a_wheel_is_installed_as_pip_installs_it(tmp_path: Path) -> None:
    wheel = rich_wheel(tmp_path / "wheels")
    compare_with_pip(tmp_path, wheel)


@pytest.mark.programs
@pytest.mark.parametrize("name", REAL)
def test_a_real_wheel_is_installed_as_pip_installs_it(tmp_path: Path, name: str) -> None:
    compare_with_pip(tmp_path, real_wheel(tmp_path, name))


@pytest.mark.programs
def test_a_script_that_an_entry_point_makes_too_is_the_entry_points(tmp_path: Path) -> None:
    files = {"old.py": "", "old-1.0.data/scripts/old": "#!python\nprint('of old')\n"}
    wheel = make_wheel(tmp_path / "wheels", "old", files, entry_points=CONSOLE.format(name="old", module="old"))
    compare_with_pip(tmp_path, wheel)


def compare_with_pip(folder: Path, wheel: WheelFile) -> None:
    """Install a wheel with pip and as a layer, at the same place, and assert that both are equal."""
    venv = folder / "venv"
    ours = laid_by_us(folder, wheel, Place(str(venv), sys.executable))
    theirs = laid_by_pip(venv, wheel)
    scripts = entry_point_scripts(wheel)
    assert sorted(ours) == sorted(theirs)
    for path, laid in theirs.items():
        assert ours[path].program == laid.program, path
        if path in scripts:
            # Another generator's text, which does the same.
            assert ours[path].content.splitlines()[0] == laid.content.splitlines()[0]
            assert b"sys.exit(" in ours[path].content
        elif path.endswith(".dist-info/RECORD"):
            assert record_rows(ours[path].content, scripts) == record_rows(laid.content, scripts)
        else:
            assert ours[path].content == laid.content, path


def laid_by_us(folder: Path, wheel: WheelFile, place: Place) -> Dict[str, Laid]:
    layout = Layout(folder / "images")
    tree = tree_of(layout, package_layers(LayerStore(layout), [wheel], place, say_nothing))
    prefix = f"{place.prefix.lstrip('/')}/"
    assert all(found.mode in (0o644, 0o755) for found in tree.values())
    return {
        path[len(prefix) :]: laid(path, found.mode, found.content)
        for path, found in tree.items()
        if found.kind == "file" and path.startswith(prefix)
    }


def laid_by_pip(venv: Path, wheel: WheelFile) -> Dict[str, Laid]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(venv.parent / "home"), "PIP_CONFIG_FILE": os.devnull}
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, env=environ)
    before = {path for path in venv.rglob("*")}
    command = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "--quiet", "install"]
    subprocess.run([*command, "--no-deps", "--no-index", str(wheel.path)], check=True, env=environ)
    return {
        path.relative_to(venv).as_posix(): laid(path.name, path.stat().st_mode, path.read_bytes())
        for path in venv.rglob("*")
        if path.is_file()
        and path not in before
        and not (path.name in ONLY_PIP and path.parent.parent.name == "site-packages")
        # pip compiles scripts, too, which nobody imports.
        and path.parent != venv / "bin" / "__pycache__"
    }


def laid(name: str, mode: int, content: bytes) -> Laid:
    return Laid(bool(mode & 0o111), b"" if name.endswith(".pyc") else content)


def entry_point_scripts(wheel: WheelFile) -> List[str]:
    import configparser

    with zipfile.ZipFile(wheel.path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt")]
        parser = configparser.ConfigParser(delimiters="=")
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string(archive.read(names[0]).decode("utf-8") if names else "")
    sections = [section for section in ("console_scripts", "gui_scripts") if section in parser]
    return [f"bin/{name}" for section in sections for name in parser[section]]


def record_rows(content: bytes, scripts: List[str]) -> List[Tuple[str, ...]]:
    return sorted(rows_of(content.decode("utf-8"), scripts))


def rows_of(text: str, scripts: List[str]) -> Iterator[Tuple[str, ...]]:
    for row in csv.reader(text.splitlines()):
        # pip keeps the row of a script that it has left out for an entry point's.
        if row[0].partition("/")[2] in ONLY_PIP or "bin/__pycache__" in row[0] or ".data/scripts/" in row[0]:
            continue
        yield (row[0],) if any(row[0].endswith(f"../{script}") for script in scripts) else tuple(row)


def entries_of(wheel: WheelFile) -> List[str]:
    with zipfile.ZipFile(wheel.path) as archive:
        return [entry.path for entry in wheel_entries(archive, f"{wheel.name} {wheel.version}", PLACE, None)]


@pytest.mark.parametrize(
    ("place", "path", "folder"),
    [
        ("", "../../../../../../etc/passwd", f"/{SITE}"),
        ("", "../other.py", f"/{SITE}"),
        ("", "bad/../../x.py", f"/{SITE}"),
        ("", "/etc/passwd", f"/{SITE}"),
        ("bad-1.0.data/scripts/", "../../etc/passwd", "/opt/venv/bin"),
        ("bad-1.0.data/data/", "../x", "/opt/venv"),
        ("bad-1.0.data/headers/", "../other/x.h", "/opt/venv/include/site/python3.8/bad"),
    ],
)
def test_a_path_that_leaves_its_folder_is_refused(tmp_path: Path, place: str, path: str, folder: str) -> None:
    with pytest.raises(ImageError) as caught:
        entries_of(make_wheel(tmp_path, "bad", {f"{place}{path}": "x"}))
    assert str(caught.value) == (
        f"bad 1.0: its file {path} would lie outside of {folder}.\n"
        "Expected a path below it. Keep another version in requirements.in and run: make lock"
    )


def test_the_name_of_an_entry_point_that_leaves_its_folder_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "bad", {"bad.py": ""}, entry_points=CONSOLE.format(name="../../x", module="bad"))
    with pytest.raises(ImageError, match=r"^bad 1\.0: its file \.\./\.\./x would lie outside of /opt/venv/bin\.\n"):
        entries_of(wheel)


@pytest.mark.programs
def test_a_link_in_a_wheel_is_a_file_as_pip_has_it(tmp_path: Path) -> None:
    files = {"tricky/link": "/etc/passwd", "tricky/link/below.py": "x = 1\n"}
    wheel = make_wheel(tmp_path / "one", "tricky", {"tricky/link": "/etc/passwd"}, links={"tricky/link"})
    layout = Layout(tmp_path / "images")
    tree = tree_of(layout, package_layers(LayerStore(layout), [wheel], PLACE, say_nothing))
    assert tree[f"{SITE}/tricky/link"] == ("file", 0o644, b"/etc/passwd")
    both = make_wheel(tmp_path / "two", "tricky", files, links={"tricky/link"})
    with pytest.raises(ImageError) as caught:
        package_layers(LayerStore(layout), [both], PLACE, say_nothing)
    assert str(caught.value) == (
        f"/{SITE}/tricky/link: tricky 1.0 has a file there, and tricky 1.0 files below it.\n"
        "Expected a file or a folder. "
        "Keep one of the two packages, or a version that fits, in requirements.in and run: make lock"
    )


def test_what_is_no_wheel_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(ImageError) as caught:
        entries_of(wheel_file(path, "none", "1.0"))
    assert str(caught.value) == (
        f"{path}: is no wheel that can be installed: Wheel doesn't contain exactly one .dist-info directory"
    )


def test_a_wheel_of_another_form_is_told(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "later", {"later-1.0.data/novel/x": "x"})
    with pytest.raises(ImageError) as caught:
        entries_of(wheel)
    assert str(caught.value) == (
        f"{wheel.path}: is no wheel that can be installed: "
        "later-1.0.data/novel/x is not contained in a valid .data subdirectory."
    )


@pytest.mark.parametrize("row", ["", "loose.py,,\n"])
def test_a_file_without_a_hash_in_record_is_laid_down(tmp_path: Path, row: str) -> None:
    wheel = make_wheel(tmp_path / "wheels", "loose", {"loose.py": "x = 1\n"}, record={"loose.py": row})
    with zipfile.ZipFile(wheel.path) as archive:
        entries = {entry.path: entry for entry in wheel_entries(archive, "loose 1.0", PLACE, None)}
    assert entries[f"{SITE}/loose.py"].mark.startswith("crc32=")
    record = entries[f"{SITE}/loose-1.0.dist-info/RECORD"].content
    assert record is not None and b"\nloose.py," in record
