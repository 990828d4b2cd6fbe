"""The empty virtual environment is one that Python takes for one, as `python -m venv` makes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from esteira.images.layers.place import Place
from esteira.images.layers.skeleton import skeleton_layer
from esteira.images.layers.store import LayerStore
from esteira.images.layout import Layout
from tests.images.layers_read import PLACE, Found, extract, tree_of


def test_the_skeleton_is_an_empty_virtual_environment(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "images")
    tree = tree_of(layout, [skeleton_layer(LayerStore(layout), PLACE)])
    assert tree == {
        "opt": Found("folder", 0o755),
        "opt/venv": Found("folder", 0o755),
        "opt/venv/bin": Found("folder", 0o755),
        "opt/venv/bin/python": Found("link", 0o777, b"/usr/local/bin/python3.8"),
        "opt/venv/bin/python3": Found("link", 0o777, b"python"),
        "opt/venv/bin/python3.8": Found("link", 0o777, b"python"),
        "opt/venv/lib": Found("folder", 0o755),
        "opt/venv/lib/python3.8": Found("folder", 0o755),
        "opt/venv/lib/python3.8/site-packages": Found("folder", 0o755),
        "opt/venv/lib64": Found("link", 0o777, b"lib"),
        "opt/venv/pyvenv.cfg": Found(
            "file", 0o644, b"home = /usr/local/bin\ninclude-system-site-packages = false\nversion = 3.8\n"
        ),
    }


@pytest.mark.programs
def test_python_takes_the_skeleton_for_its_environment(tmp_path: Path) -> None:
    layout, place = Layout(tmp_path / "images"), Place("/opt/venv", os.path.realpath(sys.executable))
    root = extract(layout, [skeleton_layer(LayerStore(layout), place)], tmp_path / "root") / "opt" / "venv"
    site = root / "lib" / "python3.8" / "site-packages"
    (site / "of_a_test.pth").write_text("import sys; sys.of_a_test = 1\n")
    code = "import site, sys; print(sys.prefix, sys.of_a_test, [p for p in sys.path if 'site-packages' in p])"
    command = [str(root / "bin" / "python3"), "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, env={}, cwd=tmp_path, check=True).stdout
    assert told == f"{root} 1 ['{site}']\n"


def test_a_path_beyond_ascii_is_written_as_python_reads_it(tmp_path: Path) -> None:
    layout, place = Layout(tmp_path / "images"), Place("/opt/venv", "/opt/olá/bin/python3.8")
    tree = tree_of(layout, [skeleton_layer(LayerStore(layout), place)])
    assert tree["opt/venv/pyvenv.cfg"].content.splitlines()[0] == "home = /opt/olá/bin".encode()
    assert tree["opt/venv/bin/python"].content == "/opt/olá/bin/python3.8".encode()


def test_another_interpreter_makes_another_layer(tmp_path: Path) -> None:
    store = LayerStore(Layout(tmp_path / "images"))
    one, again = skeleton_layer(store, PLACE), skeleton_layer(store, PLACE)
    other = skeleton_layer(store, Place("/opt/venv", "/usr/bin/python3.8"))
    assert one == again
    assert one.key != other.key and one.digest != other.digest
