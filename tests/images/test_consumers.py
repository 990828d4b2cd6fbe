"""Programs that nobody here wrote accept the images: skopeo, umoci, buildah and Docker, on a base with Python."""

import json
import os
import subprocess
from pathlib import Path
from typing import Dict, List, NamedTuple

import pytest

from esteira.images.attach import attach, referrers
from esteira.images.build import Image
from esteira.images.descriptor import Descriptor
from esteira.images.engine.container import Container, run_command
from esteira.images.engine.find import find_engine
from esteira.images.engine.load import image_tag, load_image
from esteira.images.layers.bytecode import byte_code_path
from esteira.images.registry import Reference, RegistryClient
from esteira.images.registry.push import push_image
from esteira.images.verify import copy_base
from esteira.release.digest import digest_bytes, digest_file
from tests.images.base_image import python_base
from tests.images.engine.small_image import remove_image
from tests.images.image_made import BASES, ORIGIN, Tiny, make_tiny
from tests.images.layers_read import SITE
from tests.images.registry_server import RegistryServer
from tests.images.wheels_made import LARGE, rich_wheel
from tests.images.wheels_real import real_wheel
from tests.programs import require_docker, require_program
from tests.repositories import write

pytestmark = [pytest.mark.programs, pytest.mark.loopback, pytest.mark.slow]

# Entry points, extension modules, and one that was built here of its source.
WHEELS = ("charset-normalizer", "docopt", "markupsafe", "pyyaml")
LOOK = """
import json, os, sys, charset_normalizer, docopt, markupsafe._speedups, yaml, yaml._yaml, pipeline.pipeline
open(os.path.expanduser("~/written"), "w").close()
scripts = os.popen("command -v normalizer; normalizer --version").read().split()
print(json.dumps([sys.prefix, os.getuid(), os.getgid(), os.getcwd(), os.environ["PATH"], scripts[0],
    yaml.__cached__, pipeline.pipeline.__file__, yaml.safe_load("a: 1")]))
"""


class Kept(NamedTuple):
    """An image in a layout, and the index that names it."""

    tiny: Tiny
    image: Image
    index: Descriptor

    @property
    def source(self) -> str:
        return f"oci:{self.tiny.layout.folder}:runtime"

    def manifest(self) -> Dict[str, object]:
        return self.tiny.layout.read(self.image.manifest.digest)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("consumers")
    base = python_base()
    tiny = make_tiny(folder, [*(real_wheel(folder, name) for name in WHEELS), rich_wheel(folder / "wheels")])
    copy_base(base.layout, tiny.layout, base.index.digest)
    write(tiny.root / "docker" / "bases.toml", BASES.format(digest=base.index.digest))
    image = tiny.build()
    index, _ = attach(tiny.layout, image, tiny.materials(), ORIGIN)
    return Kept(tiny, image, index)


def run(*command: str, environ: Dict[str, str] = {}) -> str:  # noqa: B006
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environ})
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def assert_looks_right(told: str, *, user: int = 65532) -> None:
    prefix, uid, gid, folder, path, script, cached, code, loaded = json.loads(told.splitlines()[-1])
    assert (prefix, uid, gid, folder) == ("/opt/venv", user, user, "/app")
    assert path.split(":")[0] == "/opt/venv/bin"
    assert script == "/opt/venv/bin/normalizer"
    assert cached == "/" + byte_code_path(f"{SITE}/yaml/__init__.py")
    assert code == "/app/pipeline/pipeline.py"
    assert loaded == {"a": 1}


def test_skopeo_reads_the_image(kept: Kept) -> None:
    require_program("skopeo", "skopeo")
    assert digest_bytes(run("skopeo", "inspect", "--raw", kept.source).encode()) == kept.index.digest
    found = json.loads(run("skopeo", "inspect", kept.source))
    manifest = kept.tiny.layout.read(kept.image.manifest.digest)
    assert found["Layers"] == [layer["digest"] for layer in manifest["layers"]]
    assert (found["Os"], found["Architecture"]) == ("linux", "amd64")
    assert found["Labels"]["org.opencontainers.image.title"] == "a tiny image"
    assert "HOME=/tmp" in found["Env"]


def test_skopeo_copies_the_image_into_a_registry(kept: Kept, registry: RegistryServer) -> None:
    require_program("skopeo", "skopeo")
    run("skopeo", "copy", "--all", "--dest-tls-verify=false", kept.source, f"docker://{registry.host}/by/skopeo:1")
    client = RegistryClient(registry.host, {})
    assert client.resolve("by/skopeo", "1") == kept.index.digest
    assert client.find_manifest("by/skopeo", kept.image.manifest.digest) == kept.image.manifest.digest


def test_skopeo_copies_what_was_pushed(kept: Kept, registry: RegistryServer, tmp_path: Path) -> None:
    require_program("skopeo", "skopeo")
    target = Reference(registry.host, "team/runtime", tag="1")
    client = RegistryClient(registry.host, {})
    attached = referrers(kept.tiny.layout, "runtime")
    pushed = push_image(kept.tiny.layout, kept.index, target, client, referrers=attached)
    assert pushed.digest == kept.index.digest
    place = f"docker://{registry.host}/team/runtime@{kept.image.manifest.digest}"
    run("skopeo", "copy", "--src-tls-verify=false", place, f"dir:{tmp_path / 'copy'}")
    assert digest_file(tmp_path / "copy" / "manifest.json") == kept.image.manifest.digest
    for layer in kept.image.layers:
        assert digest_file(tmp_path / "copy" / layer.digest.partition(":")[2]) == layer.digest
    for entry in attached:
        run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/team/runtime@{entry.digest}")


def test_umoci_unpacks_the_image(kept: Kept, tmp_path: Path) -> None:
    require_program("umoci", "umoci")
    options: List[str] = [] if os.getuid() == 0 else ["--rootless"]
    bundle = tmp_path / "bundle"
    run("umoci", "unpack", *options, "--image", f"{kept.tiny.layout.folder}:runtime", str(bundle))
    root = bundle / "rootfs"
    code = kept.tiny.root / "pipeline" / "pipeline.py"
    assert (root / "app" / "pipeline" / "pipeline.py").read_bytes() == code.read_bytes()
    assert (root / "app" / "pipeline" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (root / SITE / "yaml" / "__init__.py").stat().st_mode & 0o777 == 0o644
    assert (root / SITE / "rich" / "large.txt").read_text() == LARGE
    assert (root / SITE / "rich" / "olá.txt").read_text() == "a name beyond ASCII\n"
    assert next((root / SITE / "rich").rglob("name.txt")).read_text() == "a path of more than 100 characters\n"
    assert os.readlink(root / "opt" / "venv" / "bin" / "python") == "/usr/local/bin/python3.8"
    assert (root / "opt" / "venv").stat().st_uid == os.getuid()
    settings = json.loads((bundle / "config.json").read_text())["process"]
    assert settings["cwd"] == "/app" and settings["args"] == ["python"]
    assert (settings["user"]["uid"], settings["user"]["gid"]) == (65532, 65532)


def test_buildah_runs_the_image(kept: Kept, tmp_path: Path) -> None:
    require_program("buildah", "buildah")
    if os.getuid():
        pytest.skip("buildah without root needs ranges of users, which not every machine has")
    # Nothing of it stays on this machine.
    store = ["--root", str(tmp_path / "store"), "--runroot", str(tmp_path / "run"), "--storage-driver", "vfs"]
    name = run("buildah", *store, "from", "--pull-never", kept.source).strip().splitlines()[-1]
    told = run("buildah", *store, "run", "--isolation", "chroot", name, "--", "python", "-c", LOOK)
    run("buildah", *store, "rm", name)
    assert_looks_right(told)


def test_docker_runs_the_image(kept: Kept) -> None:
    require_docker()
    engine = find_engine(os.environ)
    tag = image_tag("test-consumers", kept.image.manifest)
    image = load_image(kept.tiny.layout, kept.image.manifest, tag, engine)
    try:
        container = Container(f"esteira-test-{os.getpid()}", image, ["python", "-c", LOOK])
        assert_looks_right(run(*run_command(engine, container)))
        verbose = subprocess.run(
            [engine.program, "run", "--rm", "--network", "none", image, "python", "-v", "-c", "import yaml"],
            capture_output=True,
            text=True,
        )
        assert verbose.returncode == 0, verbose.stderr
        # Read, and compared with no source's time.
        assert f"# code object from '/{byte_code_path(f'{SITE}/yaml/__init__.py')}'" in verbose.stderr
        assert "# wrote" not in verbose.stderr
    finally:
        remove_image(engine, tag)
