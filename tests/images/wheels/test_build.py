"""Building wheels from source, with the real build environment: pip, setuptools and zig of docker/build.lock."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from esteira.cache import cache_folders, hash_file
from esteira.errors import ImageError
from esteira.images.wheels.build import build_wheel
from esteira.images.wheels.builder import build_environment
from esteira.images.wheels.seal import seal_wheel
from tests.conftest import REPOSITORY
from tests.images.wheels.toys import SETUP, make_source, make_wheel

EXTENSION = """
#include <Python.h>
static PyObject *place(PyObject *self, PyObject *none) { return PyUnicode_FromString(__FILE__); }
static PyMethodDef methods[] = {{"place", place, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "toyc", NULL, -1, methods};
PyMODINIT_FUNC PyInit_toyc(void) { return PyModule_Create(&module); }
"""
SETUP_C = """
from setuptools import Extension, setup
setup(name="toyc", version="1.0", ext_modules=[Extension("toyc", ["toyc.c"])])
"""


@pytest.fixture(scope="module")
def builder() -> Path:
    """The interpreter of the build environment, kept in the user's cache."""
    folders = cache_folders("builders", REPOSITORY / ".esteira", os.environ)
    return build_environment(REPOSITORY / "docker" / "build.lock", folders, os.environ)


@pytest.mark.programs
@pytest.mark.slow
def test_an_extension_is_the_same_bytes_in_other_surroundings(
    tmp_path: Path, builder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(tmp_path, "toyc", {"setup.py": SETUP_C, "toyc.c": EXTENSION})
    (tmp_path / "a folder").mkdir()
    first = build_wheel(source, builder, tmp_path / "a folder", "toyc==1.0", os.environ)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    monkeypatch.setenv("CFLAGS", "-O0 -DLEAKED")
    (tmp_path / "another").mkdir()
    umask = os.umask(0o077)
    try:
        second = build_wheel(source, builder, tmp_path / "another", "toyc==1.0", os.environ)
    finally:
        os.umask(umask)
    assert first.name == second.name == "toyc-1.0-cp38-cp38-linux_x86_64.whl"
    assert hash_file(first) == hash_file(second)
    with zipfile.ZipFile(first) as archive:
        archive.extractall(tmp_path / "installed")
    command = [sys.executable, "-c", "import toyc; print(toyc.place())"]
    assert subprocess.check_output(command, cwd=tmp_path / "installed", encoding="utf-8") == "toyc.c\n"


@pytest.mark.programs
def test_a_source_that_does_not_build_is_told_with_its_output(tmp_path: Path, builder: Path) -> None:
    setup = SETUP.format(name="broken") + "raise SystemExit('needs a fortran compiler')\n"
    source = make_source(tmp_path, "broken", {"setup.py": setup, "broken.py": ""})
    (tmp_path / "scratch").mkdir()
    with pytest.raises(ImageError) as raised:
        build_wheel(source, builder, tmp_path / "scratch", "broken==1.0", os.environ)
    told = str(raised.value).splitlines()
    assert told[0] == "broken==1.0: its wheel cannot be built from broken-1.0.tar.gz:"
    assert "needs a fortran compiler" in str(raised.value)
    assert told[-1] == (
        "Expected it to build with docker/build.lock alone. "
        "Name what it needs in docker/build.in, or another version in requirements.in, and run: make lock"
    )


def test_a_sealed_wheel_tells_nothing_of_order_time_modes_or_compression(tmp_path: Path) -> None:
    plain = make_wheel(tmp_path, "toyone")
    other = tmp_path / "other.whl"
    with zipfile.ZipFile(plain) as archive, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as packed:
        for entry in reversed(archive.infolist()):
            copy = zipfile.ZipInfo(entry.filename, (2031, 2, 3, 4, 5, 6))
            copy.external_attr = 0o100600 << 16
            packed.writestr(copy, archive.read(entry))
    seal_wheel(plain, tmp_path / "a.whl")
    seal_wheel(other, tmp_path / "b.whl")
    assert (tmp_path / "a.whl").read_bytes() == (tmp_path / "b.whl").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.whl") as archive:
        names = [entry.filename for entry in archive.infolist()]
        assert {oct(entry.external_attr >> 16) for entry in archive.infolist()} == {"0o100644"}
    info = "toyone-1.0.dist-info"
    assert names == ["toyone.py", f"{info}/METADATA", f"{info}/RECORD", f"{info}/WHEEL"]
