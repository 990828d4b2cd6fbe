"""Deploys to Google Cloud's stand-ins, ours against the original's Cloud Build files: `python -m bench.deploy`.

A file is changed and committed, and the time is taken from the start of the command until the request that creates
the job arrives at the stand-in of Vertex AI: of a partial deploy, of one where each request takes as long as over a
network, and of a full one. Both ways are measured in turn, on one machine and with the same stand-ins; neither starts a
machine or a container. Prints a table, and writes bench/results/deploy.json. Needs gcloud with gsutil, docker-registry,
openssl, a running Docker daemon and 10 GB of free disk; fifteen minutes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

from bench.deploy.original import drop_image, lay_original
from bench.deploy.ours import measure_ours
from bench.deploy.report import report_of, show
from bench.deploy.scene import Scene, served_scene
from bench.deploy.theirs import gsutil_for, measure_theirs
from bench.form import OURS, heading, write_report

PROGRAMS = ("gcloud", "gsutil", "docker", "docker-registry", "openssl", "make", "git")
PACKAGES = ("google-cloud-cli", "docker.io", "docker-registry", "openssl", "make", "git")
# What a request takes over a network.
LATENCY_S = 0.05
# In this order: once the pipeline has changed, no deploy of ours is partial any more.
KINDS = ("partial", "network", "full")
Runs = Dict[str, Dict[str, List[Dict[str, Any]]]]


def main() -> None:
    arguments = parse_arguments()
    check_programs()
    head = heading("deploy", "tfx", "google-cloud-aiplatform")
    head["versions"]["gcloud"] = first_line("gcloud", "version").rpartition(" ")[2]
    with scratch(arguments) as folder, served_scene(folder) as scene:
        runs = measure(scene, folder, arguments)
    measured = {"latency_s": LATENCY_S, "gcloud": head["versions"]["gcloud"], "runs": runs}
    show(measured)
    if arguments.results or arguments.theirs:
        write_report(report_of(head, measured), arguments.results)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.deploy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each way and kind; of the full ones so many less two")
    parser.add_argument("--ours", dest="theirs", action="store_false", help="leave the other way out; write nothing")
    parser.add_argument("--folder", type=Path, help="keep images, wheels and logs here for the next time")
    parser.add_argument("--results", type=Path, help="write here and nowhere else")
    return parser.parse_args()


def check_programs() -> None:
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise SystemExit(f"{', '.join(missing)}: not on the PATH. Run: apt-get install {' '.join(PACKAGES)}")
    if subprocess.run(["docker", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        raise SystemExit("docker: its daemon does not answer, and `tfx pipeline create --build-image` needs it")


@contextmanager
def scratch(arguments: argparse.Namespace) -> Iterator[Path]:
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="esteira-bench-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("repository", "original"):
            shutil.rmtree(folder / name, ignore_errors=True)
        yield folder
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)


def measure(scene: Scene, folder: Path, arguments: argparse.Namespace) -> Runs:
    """Return the runs of each kind and way, measured in turn, so that what else the machine does meets both."""
    lay_original(scene.original, scene.prepared_data())
    runs: Runs = {}
    with gsutil_for(scene, folder / "tls") as gsutil:
        for kind in KINDS:
            latency_s = LATENCY_S if kind == "network" else 0.0
            scene.project.stand_in.latency_s = gsutil.behind_tls.latency_s = latency_s
            deploy = "full" if kind == "full" else "partial"
            ways: Dict[str, Callable[[str], Dict[str, Any]]] = {OURS: partial(measure_ours, scene, deploy)}
            if arguments.theirs:
                ways["theirs"] = partial(measure_theirs, scene, gsutil, deploy)
            rounds = max(1, arguments.rounds - 2 if kind == "full" else arguments.rounds)
            runs[kind] = measure_kind(kind, ways, rounds)
        drop_image(scene)
    return runs


def measure_kind(
    kind: str, ways: Dict[str, Callable[[str], Dict[str, Any]]], rounds: int
) -> Dict[str, List[Dict[str, Any]]]:
    """Return the runs of each way. The first round is not counted: it reads what no cache of the system holds yet."""
    found: Dict[str, List[Dict[str, Any]]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way, go in ways.items():
            run = {**go(f"{kind} {number}"), "load": os.getloadavg()[0]}
            print(f"{kind}, {way}: {run['total_s']:.2f} s", file=sys.stderr, flush=True)
            if number:
                found[way].append(run)
    return found


def first_line(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()[0]


if __name__ == "__main__":
    main()
