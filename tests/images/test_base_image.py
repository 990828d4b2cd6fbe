"""The tests' own base stands for python:3.8-slim: an image whose interpreter runs with nothing but its files."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from esteira.release.digest import digest_file
from tests.images.base_image import python_base, small_base

pytestmark = pytest.mark.programs

IMPORTS_ALL = """
import os, pathlib, ssl, sys
for path in sorted(pathlib.Path(os.__file__).parent.joinpath("lib-dynload").glob("*.so")):
    __import__(path.name.partition(".")[0])
print(sys.executable, sys.prefix, sys.version_info[:2], len(ssl.create_default_context().get_ca_certs()) > 0)
"""


@pytest.mark.slow
def test_the_interpreter_of_the_base_imports_all_its_modules(tmp_path: Path) -> None:
    base = python_base()
    manifest = base.layout.read(base.layout.read(base.index.digest)["manifests"][0]["digest"])
    layer = base.layout.blob(manifest["layers"][0]["digest"])
    assert digest_file(layer) == manifest["layers"][0]["digest"]
    with tarfile.open(layer) as archive:
        members = [member for member in archive if not member.isdev()]
        archive.extractall(tmp_path, members)
    command = [] if os.getuid() == 0 else ["unshare", "--map-root-user"]
    command += ["chroot", str(tmp_path), "/usr/local/bin/python3.8", "-c", IMPORTS_ALL]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, env={"PATH": "/usr/sbin:/usr/bin:/bin"})
    assert told.stdout == b"/usr/local/bin/python3.8 /usr/local (3, 8) True\n"


def test_the_small_base_is_the_same_each_time(tmp_path: Path) -> None:
    one, two = small_base(tmp_path / "one"), small_base(tmp_path / "two")
    assert one.index == two.index
    assert small_base(tmp_path / "three", "another").index != one.index
