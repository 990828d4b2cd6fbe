"""The prediction server: a process that answers for its models until it is told to stop.

python -m esteira.serving.server --model-dir DIR --name NAME [--host H] [--port P] [--max-batch N] ...
"""

import argparse
import asyncio
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Callable, List, Optional

from esteira.errors import EsteiraError
from esteira.serving.answer_log import AnswerLog, LogRule
from esteira.serving.app import App
from esteira.serving.catalogue import Catalogue
from esteira.serving.counts import Counts
from esteira.serving.files import allow_connections
from esteira.serving.identity import Identity
from esteira.serving.limits import Limits, add_limits, given_limits
from esteira.serving.listen import listen, url_of
from esteira.serving.loading import load_model
from esteira.serving.reload import Reloader, told_shares
from esteira.serving.sources import FolderSource, Source
from esteira.serving.stoppable import MAX_CONNECTIONS, SIGNALS, StoppableServer, end_process, end_within, leave

OpenLog = Callable[[], AnswerLog]
NO_LOG = LogRule()


def serve_models(
    source: Source,
    *,
    host: str,
    port: int,
    max_batch: int,
    limits: Limits,
    open_log: Optional[OpenLog] = None,
    log_rule: LogRule = NO_LOG,
    parent: Optional[socket.socket] = None,
    drain_s: float = 0.0,
) -> None:
    """Serve what the source wants until SIGTERM or SIGINT; finish what is under way, then close the log.

    Call it in the main thread of a process of its own. It listens at once, and is ready when the first model is
    loaded; what `open_log` opens does as `log_rule` says. `parent` is then told the URL, and the server stops when the
    other end is closed.
    Raises ServingError if the port or the model cannot be used; the port is tried before TensorFlow is imported.
    """
    with listen(host, port) as listener:
        for number in SIGNALS:
            signal.signal(number, leave)
        allow_connections(MAX_CONNECTIONS)
        log = open_log() if open_log else None
        catalogue, counts = Catalogue(source.name, source.endpoint), Counts()
        load = partial(load_model, max_batch=max_batch, max_waiting=limits.max_waiting)
        reloader = Reloader(source, load, catalogue, counts)

        def begin() -> None:
            reloader.start(asyncio.get_running_loop(), partial(announce, catalogue, url_of(listener), parent), fail)

        def fail() -> None:
            server.should_exit = True

        app = App(catalogue, limits, counts, log, log_rule if log else NO_LOG)
        server = StoppableServer(app, catalogue, limits, parent=parent, drain_s=drain_s, begin=begin)
        server.run(sockets=[listener])
        has_ended = reloader.stop()
        if log is not None:
            log.close()
        end_within(0)
        if reloader.failure is not None:
            raise reloader.failure
        if not has_ended:
            # Python waits for no thread that loads a model, and TensorFlow takes its end in the middle of that ill.
            end_process(0)


def announce(catalogue: Catalogue, url: str, parent: Optional[socket.socket]) -> None:
    print(f"Serving {told_shares(catalogue)} at {url} (Ctrl-C ends it)", flush=True)
    if parent is not None:
        # A parent that is gone by now is noticed as soon as the event loop reads the socket.
        with suppress(OSError):
            parent.sendall(f"{url}\n".encode())


def main(arguments: Optional[List[str]] = None) -> int:
    """Serve as the command line says and return the exit status."""
    given = read_arguments(arguments)
    parent = None if given.parent_fd is None else socket.socket(fileno=given.parent_fd)
    try:
        identity = Identity(given.endpoint, given.deployed_id, given.release)
        serve_models(
            FolderSource(given.model_dir, given.name, identity),
            host=given.host,
            port=given.port,
            max_batch=given.max_batch,
            limits=given_limits(given),
            open_log=log_opener(given) if given.log_folder else None,
            log_rule=LogRule(given.log_percent, given.log_text),
            parent=parent,
        )
    except EsteiraError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def read_arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    identity = Identity()
    parser = argparse.ArgumentParser(prog="esteira.serving.server", description="Serve a SavedModel over HTTP.")
    parser.add_argument("--model-dir", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8501, help="0 takes any free port")
    parser.add_argument("--max-batch", type=int, default=64)
    add_limits(parser)
    parser.add_argument("--endpoint", default=identity.endpoint, help="the resource name that it answers as")
    parser.add_argument("--deployed-id", default=identity.id)
    parser.add_argument("--release", default=identity.release, help="the release that made the model")
    parser.add_argument("--log-folder", type=Path, help="of the warehouse; without it no request is kept")
    parser.add_argument("--log-percent", type=int, default=100)
    parser.add_argument("--log-text", choices=("keep", "hash", "redact"), default="keep")
    parser.add_argument("--parent-fd", type=int, help="a socket of the process that started this one")
    return parser.parse_args(arguments)


def log_opener(given: argparse.Namespace) -> OpenLog:
    from esteira.monitoring.journal.request_log import RequestLog

    return partial(RequestLog, given.log_folder, percent=given.log_percent, text=given.log_text)


if __name__ == "__main__":
    sys.exit(main())
