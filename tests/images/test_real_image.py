"""The image of this repository's own lock and code, made as a user makes it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from esteira.images.engine.find import find_engine
from tests.conftest import REPOSITORY
from tests.images.base_image import push_base, python_base
from tests.images.registry_server import RegistryServer
from tests.make import make
from tests.programs import require_docker

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]
DIGEST = re.compile(r'^digest = ".*"$', re.MULTILINE)


def test_the_image_holds_all_that_the_pipelines_job_needs(registry: RegistryServer, tmp_path: Path) -> None:
    require_docker()
    base = push_base(python_base(), registry.host)
    root = tmp_path / "a clone"
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(root)], check=True)
    bases = root / "docker" / "bases.toml"
    bases.write_text(DIGEST.sub(f'digest = "{base.digest}"', bases.read_text()))
    checked = make(root, "image-check", ESTEIRA_IMAGES_MIRRORS=f"docker.io={registry.host}")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    marks = dict(reversed(line.split(" ", 1)) for line in checked.stdout.splitlines() if line[0] in "✓✗")
    assert set(marks.values()) == {"✓"}
    assert {"pipeline.pipeline", "the pipeline's job", "tfx.components.trainer.executor.GenericExecutor"} <= set(marks)
    told = re.search(r"^runtime (sha256:[0-9a-f]{64}), ", checked.stdout, re.MULTILINE)
    assert told
    manifest = json.loads((root / ".esteira" / "images" / "blobs" / "sha256" / told[1][7:]).read_bytes())
    # An engine stacks 127 layers at most.
    assert 40 < len(manifest["layers"]) < 100
    find_engine(os.environ).ask("image", "rm", "--force", f"esteira/runtime:{told[1][7:19]}")
