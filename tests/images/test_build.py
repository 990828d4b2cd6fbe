"""An image follows from its files alone: one digest, whatever the surroundings, and a change makes one layer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest

from esteira.errors import ImageError
from esteira.images.build import Image
from tests.conftest import REPOSITORY
from tests.images import golden
from tests.images.image_made import CODE, Tiny, make_tiny
from tests.images.layers_read import tree_of
from tests.images.wheels_made import make_wheel
from tests.programs import require_program
from tests.repositories import write

pytestmark = pytest.mark.programs


def test_the_digests_are_the_golden_ones(tmp_path: Path) -> None:
    """Meant to have changed? python -m tests.images.golden"""
    assert golden.digests(tmp_path) == json.loads(golden.FILE.read_text())


def surroundings(folder: Path) -> Dict[str, List[str]]:
    umask = ["sh", "-c", 'umask 077; cd "$1"; shift; exec "$@"', "sh", str(folder)]
    variables = ["TZ=Pacific/Auckland", "LC_ALL=C", "PYTHONHASHSEED=4321", "PYTHONOPTIMIZE=1", f"TMPDIR={folder}"]
    return {
        "umask, folder, locale, zone, seed": [*umask, "env", *variables],
        "clock": ["faketime", "2031-05-06 07:08:09"],
        "user": ["unshare", "--user", "--map-user=12345", "--"],
    }


@pytest.mark.parametrize("what", list(surroundings(Path("."))))
def test_the_digests_are_the_same_in_any_surroundings(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    head = surroundings(folder)[what]
    require_program(head[0], "faketime" if head[0] == "faketime" else "util-linux")
    if head[0] == "unshare" and subprocess.run([*head, "true"]).returncode:
        pytest.skip("no other user can be taken on here")
    command = [*head, sys.executable, "-m", "tests.images.golden", "--print"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == sorted(json.loads(golden.FILE.read_text()).values())


def names_that_differ(before: Image, after: Image) -> List[str]:
    assert [layer.name for layer in before.layers] == [layer.name for layer in after.layers]
    return [one.name for one, two in zip(before.layers, after.layers) if one != two]


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return make_tiny(tmp_path)


def test_nothing_changed_gives_the_same_image_and_writes_nothing(tiny: Tiny) -> None:
    first = tiny.build()
    before = {path: path.stat().st_mtime_ns for path in tiny.layout.folder.rglob("*") if path.is_file()}
    assert tiny.build() == first
    assert {path: path.stat().st_mtime_ns for path in tiny.layout.folder.rglob("*") if path.is_file()} == before


def test_a_change_of_code_makes_one_layer(tiny: Tiny) -> None:
    first = tiny.build()
    write(tiny.root / "pipeline" / "pipeline.py", "def create_pipeline() -> None:\n    'Another.'\n")
    second = tiny.build()
    assert names_that_differ(first, second) == ["code: pipeline"]
    assert first.manifest.digest != second.manifest.digest


def test_a_bump_of_a_wheel_makes_one_layer(tiny: Tiny, tmp_path: Path) -> None:
    first = tiny.build()
    bumped = make_wheel(tmp_path / "wheels", "one", {"one/__init__.py": "ONE = 2\n"}, version="1.1")
    second = tiny._replace(wheels=[bumped, *tiny.wheels[1:]]).build()
    assert names_that_differ(first, second) == ["packages 13"]


def test_what_is_in_no_folder_of_the_image_changes_nothing(tiny: Tiny) -> None:
    first = tiny.build()
    write(tiny.root / "modules" / "model.py", "ANOTHER = 1\n")
    write(tiny.root / "tests" / "test_x.py", "x = 1\n")
    assert tiny.build() == first


def test_the_lock_is_named_by_the_image(tiny: Tiny) -> None:
    first = tiny.build()
    write(tiny.root / "requirements.lock", "# Another lock of the same packages.\n")
    second = tiny.build()
    assert names_that_differ(first, second) == []
    assert first.manifest.digest != second.manifest.digest


def test_the_image_holds_base_environment_packages_and_code(tiny: Tiny) -> None:
    image = tiny.build()
    names = [layer.name for layer in image.layers]
    assert names[0] == "virtual environment" and names[-2:] == ["code: esteira", "code: pipeline"]
    tree = tree_of(tiny.layout, image.layers)
    for path in ("esteira/engine.py", "pipeline/pipeline.py"):
        assert tree[f"app/{path}"].content.decode() == CODE[path]
    assert tree["app/pipeline/run.sh"].mode == 0o755
    assert "app/modules" not in tree
    manifest = tiny.layout.read(image.manifest.digest)
    base = tiny.materials().pulled
    assert [entry["digest"] for entry in manifest["layers"]] == [
        *(layer.digest for layer in base.layers),
        *(layer.digest for layer in image.layers),
    ]
    assert image.size_bytes == sum(entry["size"] for entry in manifest["layers"]) + manifest["config"]["size"]
    assert image.manifest.platform == {"architecture": "amd64", "os": "linux"}
    config = tiny.layout.read(manifest["config"]["digest"])
    assert config == image.config
    assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"])


def test_a_base_that_is_not_pinned_stops_the_build(tiny: Tiny) -> None:
    path = tiny.root / "docker" / "bases.toml"
    path.write_text("".join(line for line in path.open() if not line.startswith("digest")))
    with pytest.raises(ImageError, match="Run: make pins$"):
        tiny.build()


def test_a_folder_that_is_empty_stops_the_build(tiny: Tiny) -> None:
    path = tiny.root / "docker" / "runtime.toml"
    path.write_text(path.read_text().replace('"pipeline"]', '"docker/none"]'))
    with pytest.raises(ImageError, match=r"^docker/none: holds no files\."):
        tiny.build()


def test_an_image_without_folders_has_no_code(tiny: Tiny) -> None:
    path = tiny.root / "docker" / "runtime.toml"
    path.write_text(path.read_text().replace('["esteira", "pipeline"]', "[]"))
    image = tiny.build()
    assert not any(layer.name.startswith("code") for layer in image.layers)
    write(tiny.root / "pipeline" / "pipeline.py", "ANOTHER = 1\n")
    assert tiny.build() == image
