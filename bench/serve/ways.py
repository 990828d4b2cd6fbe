"""The servers that are compared: ours in its settings, and plain ones of FastAPI and Keras."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List

from bench.serve.ours import NAME
from bench.serve.recorded import read_recorded
from esteira.monitoring.warehouse.loader import LOOK_S

MAX_BATCH = 64


@dataclass(frozen=True)
class Way:
    """A server and how it is asked: `command` lacks its port, `health` and `path` are paths of GET and of POST.

    One so slow that 64 connections wait for seconds is measured `times` as long as the others. What has been idle for
    `idle_s` has done all its work.
    """

    title: str
    command: List[str]
    environ: Dict[str, str]
    health: str
    path: str
    bodies: Path
    times: int = 1
    idle_s: float = 0.5


def our_ways(model_dir: Path, folder: Path) -> Dict[str, Way]:
    """Return ours with batching, with the request log as well, and without batching."""
    bodies = write_bodies(model_dir, folder / "ours.jsonl", lambda text: {"instances": [{"text": text}]})

    def ours(title: str, *, max_batch: int = MAX_BATCH, log_percent: int = 0) -> Way:
        command = [sys.executable, "-m", "bench.serve.ours", str(model_dir), "--state", str(folder / "state")]
        command += ["--max-batch", str(max_batch), "--log-percent", str(log_percent)]
        path = f"/v1/models/{NAME}"
        # The log's loader waits until the journal has stopped growing.
        idle_s = 3 * LOOK_S if log_percent else 0.5
        return Way(title, command, dict(os.environ), path, f"{path}:predict", bodies, idle_s=idle_s)

    return {
        "batching": ours("ours"),
        "log": ours("ours, every request logged", log_percent=100),
        "single": ours("ours, max_batch 1", max_batch=1),
    }


def peer_ways(model_dir: Path, folder: Path, python: Path) -> Dict[str, Way]:
    """Return both forms of the plain server; each has a process of its own."""
    bodies = write_bodies(model_dir, folder / "plain.jsonl", lambda text: {"text": text})
    command = [str(python), "-m", "uvicorn", "bench.serve.peer:app"]
    environ = {**os.environ, "MODEL_DIR": str(model_dir), "TF_CPP_MIN_LOG_LEVEL": "2"}

    def plain(title: str, path: str, times: int) -> Way:
        return Way(title, command, environ, "/health", path, bodies, times)

    return {
        "keras": plain("FastAPI, model.predict of Keras", "/keras", 3),
        "signature": plain("FastAPI, the SavedModel's signature", "/signature", 1),
    }


def write_bodies(model_dir: Path, path: Path, body: Callable[[str], Any]) -> Path:
    """Write a request's body for each recorded text, one a line."""
    lines = [json.dumps(body(text)) + "\n" for text in read_recorded(model_dir).texts]
    path.write_text("".join(lines), encoding="ascii")
    return path
