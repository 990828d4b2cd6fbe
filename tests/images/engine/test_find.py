import shutil
from pathlib import Path

import pytest

from esteira.errors import ImageError
from esteira.images.engine.find import Engine, find_engine
from tests.images.engine.small_image import require_engine

pytestmark = pytest.mark.programs


def test_an_engine_that_answers_is_found() -> None:
    engine = require_engine()
    assert engine.program in ("docker", "podman")
    assert engine.ask("version")


def test_without_a_program_the_message_says_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        find_engine({"PATH": str(tmp_path)})
    assert str(caught.value) == (
        "no container engine answers here:\n"
        "  docker: no such program on the PATH.\n"
        "  podman: no such program on the PATH.\n"
        "Expected Docker or Podman. Install one of them (docker.io or podman on Debian and Ubuntu), start it, and see "
        "that `docker version` answers for this user; ISOLATION=fork needs none."
    )


@pytest.mark.skipif(shutil.which("docker") is None, reason="needs Docker's client")
def test_a_client_without_its_server_is_no_engine(tmp_path: Path) -> None:
    (tmp_path / "docker").symlink_to(shutil.which("docker") or "")
    environ = {"PATH": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/none.sock", "HOME": str(tmp_path)}
    with pytest.raises(ImageError) as caught:
        find_engine(environ)
    told = str(caught.value).splitlines()[1]
    assert told.startswith("  docker: ")
    assert f"{tmp_path}/none.sock" in told


def test_podman_is_told_not_to_wait() -> None:
    assert Engine("docker", {}).removal == ("docker", "rm", "--force")
    assert Engine("podman", {}).removal == ("podman", "rm", "--force", "--time", "0")
