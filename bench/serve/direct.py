"""Calling a SavedModel in the process: python -m bench.serve.direct MODEL_DIR

Reads a number of rows and of seconds from each line, calls the model so long with batches of so many texts, and
answers with a line of JSON. A call is from Python's strings to NumPy's arrays, with TensorFlow as it is by default.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List

from bench.serve.model import REPOSITORY
from bench.serve.recorded import read_recorded


class DirectCalls:
    """The other process, by its pipes."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def measure(self, rows: int, seconds: float) -> Dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{rows} {seconds}\n".encode())
        self._process.stdin.flush()
        found: Dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


@contextmanager
def direct_calls(model_dir: Path) -> Iterator[DirectCalls]:
    command = [sys.executable, "-W", "ignore", "-m", "bench.serve.direct", str(model_dir)]
    environ = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield DirectCalls(process)
        finally:
            # Its loop ends with its input.
            assert process.stdin
            process.stdin.close()


def call_for(signature: Any, texts: List[str], rows: int, seconds: float) -> Dict[str, Any]:
    """Return calls and rows a second, and the calls' latencies in ms."""
    import tensorflow as tf

    took_s: List[float] = []
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        batch = [texts[(len(took_s) + row) % len(texts)] for row in range(rows)]
        begin_s = time.perf_counter()
        outputs = signature(text=tf.constant(batch))
        for output in outputs.values():
            output.numpy()
        took_s.append(time.perf_counter() - begin_s)
    took_s.sort()
    p50_ms, p99_ms = (1000 * took_s[int(len(took_s) * part)] for part in (0.5, 0.99))
    return {"requests_s": len(took_s) / sum(took_s), "rows": rows, "p50_ms": p50_ms, "p99_ms": p99_ms}


def main() -> None:
    import tensorflow as tf

    model_dir = Path(sys.argv[1])
    model = tf.saved_model.load(str(model_dir))
    texts = read_recorded(model_dir).texts
    for line in sys.stdin:
        rows, seconds = line.split()
        print(json.dumps(call_for(model.signatures["serving_default"], texts, int(rows), float(seconds))), flush=True)


if __name__ == "__main__":
    main()
