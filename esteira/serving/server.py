"""The prediction server: a process that serves one SavedModel until it is told to stop.

python -m esteira.serving.server --model-dir DIR --name NAME [--host H] [--port P] [--max-batch N]
"""

import argparse
import asyncio
import gc
import os
import signal
import socket
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, List, NoReturn, Optional

import uvicorn

from esteira.errors import EsteiraError, ServingError
from esteira.serving.answer_log import AnswerLog
from esteira.serving.app import create_app
from esteira.serving.batcher import Batcher
from esteira.serving.catalogue import Catalogue, ServedModel
from esteira.serving.identity import Identity, deployed_as
from esteira.serving.listen import listen, url_of
from esteira.serving.saved_model import check_model_dir, model_version, read_labels

# Rows that may wait, in batches and at least: beyond this a request is refused rather than kept waiting.
MAX_WAITING_BATCHES = 16
MIN_WAITING_ROWS = 1024
KEEP_ALIVE_S = 60
# How long requests under way may still take once the server is told to stop.
GRACE_S = 10


def serve(
    model_dir: Path,
    *,
    name: str,
    host: str,
    port: int,
    max_batch: int,
    parent: Optional[socket.socket] = None,
    identity: Identity = Identity(),
    log: Optional[AnswerLog] = None,
) -> None:
    """Serve the SavedModel as `name` until SIGTERM or SIGINT; finish what is under way, exit with 0.

    Call it in the main thread of a process of its own. `parent` is told the URL when the server is
    ready, and the server stops when the other end is closed.
    Raises ServingError if the port or the model cannot be used; the port is tried before TensorFlow
    is imported.
    """
    check_model_dir(model_dir)
    labels = read_labels(model_dir)
    with listen(host, port) as listener:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
        model = load_model(model_dir, name, labels, max_batch, identity)
        model.batcher.start()
        url = url_of(listener)

        def announce() -> None:
            print(f"Serving {name} version {model.version} at {url} (Ctrl-C ends it)", flush=True)
            if parent is not None:
                # A parent that is gone by now is noticed as soon as the event loop watches the socket.
                with suppress(OSError):
                    parent.sendall(f"{url}\n".encode())

        AnnouncingServer(create_app(Catalogue([model]), log), announce, parent).run(sockets=[listener])
        model.batcher.stop()


def leave(number: int, frame: Any) -> NoReturn:
    """End the process at once: while it loads there is nothing to finish.

    While it serves, uvicorn holds these signals; it raises them again once all requests are answered.
    An exception instead could be swallowed by a module that is being imported.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def load_model(
    model_dir: Path, name: str, labels: Optional[List[str]], max_batch: int, identity: Identity
) -> ServedModel:
    """Return the model, loaded and warm. Raises ServingError."""
    quiet_tensorflow()
    # Here, and not above, since it takes seconds: the port and the folder are checked first.
    from esteira.serving.tensorflow_model import TensorFlowModel

    model = TensorFlowModel(model_dir)
    try:
        model.warm_up()
    except Exception as error:
        raise ServingError(
            f"{model_dir}: the model fails on an empty input: {error}\nTrain and push it again: make deploy-full"
        ) from error
    # What is loaded stays: without this, every full collection would walk through all of TensorFlow.
    gc.collect()
    gc.freeze()
    max_waiting = max(MIN_WAITING_ROWS, MAX_WAITING_BATCHES * max_batch)
    batcher = Batcher(model.run, max_batch=max_batch, max_waiting=max_waiting)
    version = model_version(model_dir)
    deployed = deployed_as(identity, version, labels, model.signatures)
    return ServedModel(name, version, model.signatures, labels, batcher, deployed)


def quiet_tensorflow() -> None:
    """Keep notes that nobody can act on out of the log; TensorFlow reads this when it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Google's libraries warn that Python 3.8 has ended, and TFX 1.14 allows no later one.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")


class AnnouncingServer(uvicorn.Server):
    """uvicorn, saying when it is ready, and stopping when the parent's end of a socket is closed."""

    def __init__(self, app: Any, announce: Callable[[], None], parent: Optional[socket.socket]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._announce = announce
        self._parent = parent

    async def startup(self, sockets: Optional[List[socket.socket]] = None) -> None:
        await super().startup(sockets)
        self._announce()
        if self._parent is not None:
            asyncio.get_running_loop().add_reader(self._parent, self._stop)

    def _stop(self) -> None:
        """The parent never writes, so what can be read is the end."""
        if self._parent is not None:
            asyncio.get_running_loop().remove_reader(self._parent)
        self.should_exit = True


def main(arguments: Optional[List[str]] = None) -> int:
    """Serve as the command line says and return the exit status."""
    parser = argparse.ArgumentParser(prog="esteira.serving.server", description="Serve a SavedModel over HTTP.")
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501, help="0 takes any free port")
    parser.add_argument("--max-batch", type=int, default=64)
    parser.add_argument("--parent-fd", type=int, help="a socket of the process that started this one")
    given = parser.parse_args(arguments)
    parent = None if given.parent_fd is None else socket.socket(fileno=given.parent_fd)
    try:
        serve(
            given.model_dir,
            name=given.name,
            host=given.host,
            port=given.port,
            max_batch=given.max_batch,
            parent=parent,
        )
    except EsteiraError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
