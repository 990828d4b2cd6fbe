"""local-bigquery, an emulator of BigQuery that nobody here wrote, in an environment of its own.

It is Python 3.13's, made once in the user's cache as esteira/setup makes ours. DuckDB's extensions come as packages,
and are laid where DuckDB looks for them in its home folder, which is the environment's own.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Optional

import requests

from esteira.local.cloud.bucket import free_port
from tests.conftest import REPOSITORY
from tests.programs import lack

REQUIREMENTS = Path(__file__).parent / "local-bigquery.txt"
PROJECT = "demo"
START_S, STOP_S, INSTALL_S = 60, 10, 600
HINT = "To run this test: pyenv install 3.13.0, and let uv fetch tests/sql/local-bigquery.txt"


def require_environment() -> Path:
    """Return the folder of the emulator's environment; go on only where it can be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "esteira"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = cache / f"local-bigquery-{digest}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "local-bigquery.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            make_environment(folder)
    return folder


def make_environment(folder: Path) -> None:
    uv, python = find_uv(), find_python()
    if uv is None or python is None:
        lack(f"local-bigquery needs uv and Python 3.13. {HINT}")
        raise AssertionError
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    packages = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(new / "bin" / "python")]
    try:
        run([uv, "venv", "--quiet", "--relocatable", "--python", python, str(new)])
        run([*packages, "-r", str(REQUIREMENTS)])
    except (subprocess.SubprocessError, OSError) as error:
        lack(f"local-bigquery cannot be installed: {error}. {HINT}")
    lay_extensions(new)
    new.rename(folder)


def run(command: List[str]) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=INSTALL_S, encoding="utf-8")
    return done.stdout.strip()


def find_uv() -> Optional[str]:
    """Return the uv that esteira/setup uses."""
    version = REPOSITORY.joinpath("esteira/setup/uv.txt").read_text().split("==")[1].split()[0]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = [str(cache / "esteira" / f"uv-{version}" / "bin" / "uv"), shutil.which("uv")]
    return next((path for path in found if path and Path(path).exists()), None)


def find_python() -> Optional[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [*map(str, sorted(pyenv.glob("versions/3.13*/bin/python"))), "python3.13"]
    for python in candidates:
        try:
            # A shim of pyenv fails until a version is chosen.
            return run([python, "-c", "import sys; assert sys.version_info[:2] == (3, 13); print(sys.executable)"])
        except (subprocess.SubprocessError, OSError):
            continue
    return None


def lay_extensions(folder: Path) -> None:
    for extension in folder.glob("lib/python3.13/site-packages/duckdb_extension_*/extensions/*/*.duckdb_extension"):
        place = folder / "home" / ".duckdb" / "extensions" / extension.parent.name / "linux_amd64"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(extension, place)


@contextmanager
def serve_emulator(data: Path) -> Iterator[str]:
    """Run the emulator with an empty project and give its URL."""
    environment = require_environment()
    port, grpc_port = free_port(), free_port()
    command = [str(environment / "bin" / "python"), "-c", "from local_bigquery.cli import main; main()", "serve"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--grpc-port", str(grpc_port)]
    command += ["--project", PROJECT, "--data-dir", str(data / "data")]
    variables = {"HOME": str(environment / "home"), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    with (data / "emulator.log").open("w") as log:
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=subprocess.STDOUT, cwd=data)
    try:
        wait_for(f"http://127.0.0.1:{port}", process, data / "emulator.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            requests.get(f"{url}/bigquery/v2/projects", timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError(f"local-bigquery did not start:\n{log.read_text()}")
