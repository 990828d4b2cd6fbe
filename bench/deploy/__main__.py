"""A partial deploy to Google Cloud's stand-ins, ours against TFX's own command line: `python -m bench.deploy`.

A module is changed, and the time is taken from the start of the command until the request that creates the job
arrives at the stand-in of Vertex AI. Both ways are measured in turn, on one machine and with the same stand-ins;
neither starts a machine or a container. Prints tables, writes bench/results/deploy.json, and puts the table into
docs/vertex.md. Needs gcloud with gsutil, docker-registry, openssl and 10 GB of free disk; ten minutes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Dict, Iterator, List

from bench.deploy.ours import COMMAND, measure_ours
from bench.deploy.report import markdown, render_into, show
from bench.deploy.scene import REPOSITORY, Scene, served_scene
from bench.deploy.theirs import gsutil_for, measure_theirs
from bench.machine import describe_machine
from esteira.files import write_json
from esteira.git import git

RESULTS = REPOSITORY / "bench" / "results" / "deploy.json"
DOCUMENT = REPOSITORY / "docs" / "vertex.md"
PROGRAMS = ("gcloud", "gsutil", "docker-registry", "openssl", "make", "git")
PACKAGES = ("google-cloud-cli", "docker-registry", "openssl", "make", "git")
# What a request takes over a network, for the number of requests that wait for each other.
LATENCY_S = 0.05
TARGET_S, TARGET_TIMES = 5.0, 10.0


def main() -> None:
    arguments = parse_arguments()
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise SystemExit(f"{', '.join(missing)}: not on the PATH. Run: apt-get install {' '.join(PACKAGES)}")
    machine = describe_machine("tfx", "google-cloud-aiplatform")
    with scratch(arguments) as folder, served_scene(folder) as scene:
        runs = measure(scene, folder, arguments)
    report = {
        "machine": machine,
        "commit": git(REPOSITORY, "rev-parse", "HEAD").strip(),
        "gcloud": gcloud_version(),
        "command": " ".join(COMMAND),
        **summarise(runs),
        "runs": runs,
    }
    show(report)
    if arguments.results or arguments.theirs:
        write_json(arguments.results or RESULTS, report)
    if arguments.results or not arguments.theirs or not render_into(DOCUMENT, report):
        print(markdown(report))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.deploy", description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="of each way")
    parser.add_argument("--ours", dest="theirs", action="store_false", help="leave the other way out; write nothing")
    parser.add_argument("--folder", type=Path, help="keep images, wheels and logs here for the next time")
    parser.add_argument("--results", type=Path, help="write here and nowhere else")
    return parser.parse_args()


@contextmanager
def scratch(arguments: argparse.Namespace) -> Iterator[Path]:
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="esteira-bench-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / "repository", ignore_errors=True)
        yield folder
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)


def measure(scene: Scene, folder: Path, arguments: argparse.Namespace) -> Dict[str, List[Dict[str, Any]]]:
    """Return the runs of each way, measured in turn, so that what else the machine does meets both."""
    runs: Dict[str, List[Dict[str, Any]]] = {"ours": [], "theirs": [], "ours, over a network": []}

    def done(name: str, run: Dict[str, Any]) -> None:
        runs[name].append({**run, "load": os.getloadavg()[0]})
        print(f"{name}: {run['total_s']:.2f} s", file=sys.stderr, flush=True)

    # The first time imports what no cache of the system holds yet.
    measure_ours(scene, "first")
    with gsutil_for(scene, folder / "tls") as gsutil:
        if arguments.theirs:
            measure_theirs(scene, gsutil, "first")
        for number in range(arguments.runs):
            done("ours", measure_ours(scene, str(number)))
            if arguments.theirs:
                done("theirs", measure_theirs(scene, gsutil, str(number)))
    scene.project.stand_in.latency_s = LATENCY_S
    for number in range(arguments.runs):
        done("ours, over a network", measure_ours(scene, f"network {number}"))
    return runs


def summarise(runs: Dict[str, List[Dict[str, Any]]]) -> Dict[str, Any]:
    """Return the medians of each way, their ratio, and whether that reaches the targets."""
    found: Dict[str, Any] = {name: medians(rows) for name, rows in runs.items() if rows}
    ours_s, network_s = found["ours"]["total_s"], found["ours, over a network"]["total_s"]
    found["latency_s"] = LATENCY_S
    found["requests_in_sequence"] = round((network_s - ours_s) / LATENCY_S)
    found["targets"] = {f"{TARGET_S:g} s or less": ours_s <= TARGET_S}
    if runs["theirs"]:
        pairs = zip(runs["theirs"], runs["ours"])
        found["times_faster"] = median(theirs["total_s"] / ours["total_s"] for theirs, ours in pairs)
        found["targets"][f"{TARGET_TIMES:g} times faster"] = found["times_faster"] >= TARGET_TIMES
    return found


def medians(rows: List[Dict[str, Any]]) -> Dict[str, Any]:
    parts = {name: median(row["parts_s"][name] for row in rows) for name in rows[0]["parts_s"]}
    totals = {name: median(row[name] for row in rows) for name in rows[0] if name != "parts_s"}
    return {**totals, "fastest_s": min(row["total_s"] for row in rows), "parts_s": parts}


def gcloud_version() -> str:
    done = subprocess.run(["gcloud", "version"], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()[0].rpartition(" ")[2]


if __name__ == "__main__":
    main()
