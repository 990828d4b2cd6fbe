"""Programs that tests need and that a machine may lack: there a test is skipped, and in CI it fails."""

import os
import shutil
import subprocess

import pytest


def require_program(name: str, package: str) -> str:
    """Return the path of a program, of a Debian package that .ci/run installs."""
    found = shutil.which(name)
    if found is None:
        lack(f"{name} is not installed. To run this test: apt-get install {package}")
        raise AssertionError
    return found


def require_docker() -> None:
    """Go on only where a Docker daemon answers."""
    require_program("docker", "docker.io")
    asked = subprocess.run(["docker", "version"], capture_output=True, check=False, timeout=30)
    if asked.returncode:
        lack("no Docker daemon answers. To run this test: start one (dockerd)")


def lack(reason: str) -> None:
    """Skip the test, or fail it in CI, where a test that did not run would hide a hole."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
