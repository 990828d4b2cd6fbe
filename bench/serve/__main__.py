"""The prediction server under load, beside a plain one of FastAPI and Keras: `python -m bench.serve [MODEL_DIR]`.

Of the model in a folder, else of the current release on this machine: requests a second and latencies at 1, 8 and 64
connections, with and without batching, with and without the request log, and of direct calls of the SavedModel. All
servers run at the same time and are asked in turn, round by round. Prints a table, and writes bench/results/serve.json.
Needs wrk, 5 GB of memory and, the first time, a network;
ten minutes, with nothing else going on.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict

from bench.form import heading, write_report
from bench.serve.direct import DirectCalls, direct_calls
from bench.serve.load import load, warm_up
from bench.serve.model import REPOSITORY, find_model
from bench.serve.peer_environment import LOCK, peer_python
from bench.serve.processes import Running, cpu_s, running, wait_until_idle
from bench.serve.report import Runs, report_of, show, summarise
from bench.serve.ways import Way, our_ways, peer_ways

CONNECTIONS = (1, 8, 64)
DIRECT_ROWS = (1, 64)
WARM_UP_CONNECTIONS, WARM_UP_S = 8, 3.0
PACKAGES = ("tensorflow", "uvicorn", "uvloop", "httptools")


def main() -> None:
    arguments = parse_arguments()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk: not on the PATH. Run: apt-get install wrk")
    model_dir, head = find_model(arguments.model), heading("serve", *PACKAGES)
    with tempfile.TemporaryDirectory(prefix="esteira-bench-") as scratch:
        ways = our_ways(model_dir, Path(scratch))
        if arguments.peer:
            ways.update(peer_ways(model_dir, Path(scratch), peer_python(REPOSITORY / ".esteira")))
        runs = measure(model_dir, ways, Path(scratch), arguments)
    report = {
        "seconds": arguments.seconds,
        "rounds": arguments.rounds,
        "titles": {"direct": "a direct call of so many rows", **{name: way.title for name, way in ways.items()}},
        **summarise(runs, CONNECTIONS[-1]),
        "runs": runs,
    }
    show(report)
    if arguments.results or arguments.peer:
        head["versions"].update(wrk=wrk_version(), fastapi=locked_version("fastapi"))
        write_report(report_of(head, report), arguments.results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.serve", description=__doc__)
    parser.add_argument("model", type=Path, nargs="?", metavar="MODEL_DIR", help="the folder of a pushed model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of each way and number of connections in a round")
    parser.add_argument("--ours", dest="peer", action="store_false", help="leave the plain server out; write nothing")
    parser.add_argument("--results", type=Path, help="write here and nowhere else")
    return parser.parse_args()


def measure(model_dir: Path, ways: Dict[str, Way], scratch: Path, arguments: argparse.Namespace) -> Runs:
    """Return what each way answered in each round, by the connections (of direct calls: the rows) at once."""
    runs: Runs = {"direct": {str(rows): [] for rows in DIRECT_ROWS}}
    runs.update({name: {str(connections): [] for connections in CONNECTIONS} for name in ways})
    with ExitStack() as stack:
        direct = stack.enter_context(direct_calls(model_dir))
        servers = {name: stack.enter_context(started(name, way, scratch)) for name, way in ways.items()}
        for name, way in ways.items():
            warm_up(servers[name].url + way.path, way.bodies, connections=WARM_UP_CONNECTIONS, seconds=WARM_UP_S)
            wait_until_idle(servers[name].pid, way.idle_s)
        for number in range(arguments.rounds):
            measure_direct(direct, runs, arguments.seconds)
            # Every other round in the other order, so that none is always the one that comes after another.
            names = list(ways) if number % 2 == 0 else list(reversed(ways))
            for connections in CONNECTIONS:
                for name in names:
                    found = measure_server(servers[name], ways[name], connections, arguments.seconds)
                    runs[name][str(connections)].append(found)
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
    return runs


def started(name: str, way: Way, scratch: Path) -> Any:
    return running(way.command, way.health, folder=REPOSITORY, environ=way.environ, log=scratch / f"{name}.log")


def measure_server(server: Running, way: Way, connections: int, seconds: float) -> Dict[str, Any]:
    """Return what a server answered; what it still does after that is waited for, and counts as its processor time."""
    before_s = cpu_s(server.pid)
    found = load(server.url + way.path, way.bodies, connections=connections, seconds=seconds * way.times)
    wait_until_idle(server.pid, way.idle_s)
    return {**found, "cpu_ms": 1000 * (cpu_s(server.pid) - before_s) / found["requests"]}


def measure_direct(direct: DirectCalls, runs: Runs, seconds: float) -> None:
    for rows in DIRECT_ROWS:
        runs["direct"][str(rows)].append(direct.measure(rows, seconds))


def wrk_version() -> str:
    # It prints its version and its usage, and fails.
    printed = subprocess.run(["wrk", "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    return printed.decode().splitlines()[0]


def locked_version(package: str) -> str:
    found = re.search(rf"^{package}==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else ""


if __name__ == "__main__":
    main()
