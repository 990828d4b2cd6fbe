"""How long a container takes to import TFX: with the byte code that the image has, and with none."""

import subprocess
import time
from typing import Dict, List

from bench.images.timed import median

REPEATED = 3
STATEMENT = "import {module}; import time; print(time.process_time())"
WITHOUT = ("--env=PYTHONPYCACHEPREFIX=/tmp/none", "--env=PYTHONDONTWRITEBYTECODE=1")


def measure_start(image: str, module: str, *, byte_code: bool) -> Dict[str, float]:
    """Return the medians of wall and CPU seconds of `docker run`; the CPU is that of the process in the container.

    It runs once before, so that the files are in memory.
    """
    flags = [] if byte_code else list(WITHOUT)
    runs = [start_once(image, module, flags) for _ in range(1 + REPEATED)][1:]
    return {name: round(median(run[name] for run in runs), 2) for name in ("wall_s", "cpu_s")}


def start_once(image: str, module: str, flags: List[str]) -> Dict[str, float]:
    command = ["docker", "run", "--rm", "--network", "none", *flags, image, "python", "-c"]
    started_s = time.monotonic()
    done = subprocess.run([*command, STATEMENT.format(module=module)], capture_output=True, check=False)
    wall_s = time.monotonic() - started_s
    if done.returncode:
        raise SystemExit(f"{image}: cannot import {module}:\n{done.stderr.decode(errors='replace')}")
    return {"wall_s": wall_s, "cpu_s": float(done.stdout.decode().split()[-1])}
