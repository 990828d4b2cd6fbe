"""Load on a server, by wrk: requests as fast as its connections are answered."""

import json
import subprocess
from pathlib import Path
from typing import Any, Dict
from urllib.request import Request, urlopen

SCRIPT = Path(__file__).with_name("post.lua")
FIRST_TIMEOUT_S = 60.0


def warm_up(url: str, bodies: Path, *, connections: int, seconds: float) -> None:
    """Ask once, which may take long the first time, then under load."""
    body = bodies.read_bytes().splitlines()[0]
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=FIRST_TIMEOUT_S):
        load(url, bodies, connections=connections, seconds=seconds)


def load(url: str, bodies: Path, *, connections: int, seconds: float) -> Dict[str, Any]:
    """Return requests a second, and latencies in ms; SystemExit unless every request was answered with 200.

    `bodies` are those of the requests, one a line. One thread of wrk is enough for what these servers answer.
    """
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds:g}s"]
    command += ["--timeout", "30s", "--script", str(SCRIPT), url, "--", str(bodies)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
    found = json.loads(printed.splitlines()[-1])
    if found["failed"] or not found["requests"]:
        raise SystemExit(f"{url}: {found['failed']} of {found['requests']} requests were not answered with 200")
    return {"requests_s": found["requests"] / found["seconds"], **found}
