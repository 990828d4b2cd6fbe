"""A deploy that nobody waits for: the same command, in a process of its own."""

import subprocess
import sys
import time
from pathlib import Path
from typing import List, Mapping, NamedTuple

from esteira.files import telling_os_errors
from esteira.settings import Settings


class Background(NamedTuple):
    """A process that goes on, and the log that it writes."""

    pid: int
    log: Path


def deploy_in_background(settings: Settings, task: str, overrides: Mapping[str, str]) -> Background:
    """Start an Invoke task that outlives this process and its terminal."""
    flags: List[str] = []
    for key, value in overrides.items():
        flags += ["--set", f"{key}={value}"]
    log = settings.state / "logs" / "deploys" / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.log"
    with telling_os_errors("write", log):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            process = subprocess.Popen(
                ["env", "ESTEIRA_WAIT=1", sys.executable, "-m", "invoke", task, *flags],
                cwd=settings.root,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    return Background(process.pid, log)
