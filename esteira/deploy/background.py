"""A deploy that nobody waits for: the same command, in a process of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Mapping

from esteira.files import telling_os_errors
from esteira.settings import Settings


def deploy_in_background(settings: Settings, task: str, overrides: Mapping[str, str]) -> Path:
    """Start an Invoke task that outlives this process and its terminal; return its log."""
    log = settings.state / "logs" / "deploys" / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}.log"
    with telling_os_errors("write", log):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            subprocess.Popen(
                [sys.executable, "-m", "invoke", task],
                cwd=settings.root,
                env={**os.environ, "ESTEIRA_WAIT": "1", "ESTEIRA_OVERRIDES": json.dumps(dict(overrides))},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    return log
