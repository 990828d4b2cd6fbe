"""How long a plan takes, and how much memory: `python -m bench.plan`.

Makes a clone of this repository with 10,000 more files in modules/ and a CSV of 1 GB, and plans in it
again and again, each time in a fresh process. Prints a table, and writes bench/results/plan.json.
Seconds are of the planning alone; what Python's start, imports and the front door add, which is the
same for any repository, is told by the last line, a whole `inv plan` in this one, of five the fastest.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List

from rich.console import Console
from rich.table import Table

from bench.form import OURS, Report, case_of, heading, write_report
from esteira.deploy.planned import plan_here, planned
from esteira.git import git
from esteira.release.history import keep_release, make_current
from esteira.release.inputs import lay_inputs
from esteira.release.manifest import Part, Release, identified
from esteira.release.stat_cache import GRAIN_NS
from esteira.release.store import open_store
from esteira.settings import Settings, load_settings

REPOSITORY = Path(__file__).resolve().parent.parent
CSV = "data.csv"
AUTHOR = ("-c", "user.name=Bench", "-c", "user.email=bench@example.test")


@dataclass(frozen=True)
class Measurement:
    """One plan: its time, the memory of its biggest process, and what it says."""

    case: str
    wall_s: float
    peak_bytes: int
    plan: str


def settings_of(root: Path) -> Settings:
    return load_settings(root, {"ESTEIRA_STATE": f"{root}-state"}, {"data.file": str(root / CSV)})


def make_repository(root: Path, files: int, csv_bytes: int) -> None:
    """Make a committed repository; the CSV is sparse, and not tracked."""
    git(REPOSITORY, "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(root))
    for number in range(files):
        path = file_of(root, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"NUMBER = {number}\n")
    git(root, "add", "--all")
    git(root, *AUTHOR, "commit", "--quiet", "--message", "many files")
    with (root / CSV).open("wb") as stream:
        stream.truncate(csv_bytes)
    # Until the clock has left the instant in which the CSV was written, its digest is not kept.
    time.sleep(2 * GRAIN_NS / 1e9)


def file_of(root: Path, number: int) -> Path:
    return root / "modules" / f"{number % 100:02}" / f"file_{number}.py"


def deploy(root: Path) -> None:
    """Do to the store what a deploy does that went well."""
    settings = settings_of(root)
    store = open_store(settings)
    with planned(settings, store) as work:
        lay_inputs(store, work.inputs)
        parts = {name: Part(digest=digest) for name, digest in work.plan.parts.items()}
        made_of = {"commit": work.plan.commit, "dirty": work.plan.dirty, "parts": parts}
        release = keep_release(store, identified(Release(id="", pipeline="bench", kind="full", **made_of)))
        make_current(store, release.id, if_generation=work.plan.generation)


def edit_some(root: Path, files: int) -> None:
    for number in range(0, files, 10):
        file_of(root, number).write_text("edited\n")


def uncommit(root: Path, files: int) -> None:
    git(root, "reset", "--quiet", "HEAD~1")


# What is done before each plan, in this order.
CASES: Dict[str, Callable[[Path, int], None]] = {
    "the first, nothing is deployed": lambda root, files: None,
    "the second, nothing changed": lambda root, files: deploy(root),
    "every tenth file edited": edit_some,
    "no file committed": uncommit,
    "the same, deployed so": lambda root, files: deploy(root),
}


def plan_once(root: Path) -> Dict[str, object]:
    """Plan, and return how long it took, the memory of its biggest process and what the plan says."""
    settings, started_s = settings_of(root), time.monotonic()
    plan = plan_here(settings)
    wall_s = round(time.monotonic() - started_s, 3)
    return {"wall_s": wall_s, "peak_bytes": peak_bytes(), "plan": plan.kind}


def peak_bytes() -> int:
    return 1024 * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def measure(case: str, root: Path) -> Measurement:
    command = [sys.executable, "-m", "bench.plan", "--once", str(root)]
    printed = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
    return Measurement(case=case, **json.loads(printed))


def measure_front_door() -> Measurement:
    """Return the time of a whole `inv plan` in this repository."""
    command, times = [str(Path(sys.executable).with_name("inv")), "plan"], []
    environ = {**os.environ, "ESTEIRA_FORMAT": "word"}
    for _ in range(5):
        started_s = time.monotonic()
        printed = subprocess.run(command, cwd=REPOSITORY, env=environ, stdout=subprocess.PIPE, check=True).stdout
        times.append(time.monotonic() - started_s)
    return Measurement("inv plan in this repository", round(min(times), 3), peak_bytes(), printed.decode().strip())


def show(measurements: List[Measurement], files: int, csv_bytes: int) -> None:
    table = Table(title=f"{files:,} files in a part, a CSV of {csv_bytes / 1e9:g} GB")
    for column in ("case", "wall s", "peak MB", "plan"):
        table.add_column(column, justify="right" if column in ("wall s", "peak MB") else "left")
    for found in measurements:
        table.add_row(found.case, f"{found.wall_s:.2f}", f"{found.peak_bytes / 1e6:.0f}", found.plan)
    Console().print(table)


def report_of(head: Dict[str, Any], measured: Dict[str, Any]) -> Report:
    """Return what was measured in the form of every bench. There is no other way to set beside it."""
    cases = [case_of(case_title(found["case"]), OURS, [found["wall_s"]]) for found in measured["measurements"]]
    notes = [
        f"{measured['files']:,} files in a part and a CSV of {measured['csv_bytes'] / 1e9:g} GB; the last row is of "
        "this repository, and a whole command, of five the fastest.",
        f"{max(found['peak_bytes'] for found in measured['measurements']) / 1e6:.0f} MB in the largest process.",
    ]
    return Report(**head, cases=cases, ratios=[], targets=[], notes=notes, measured=measured)


def case_title(case: str) -> str:
    return case if case.startswith("inv ") else f"plan: {case}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--csv-bytes", type=int, default=10**9)
    parser.add_argument("--results", type=Path, help="write here and nowhere else")
    parser.add_argument("--once", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        print(json.dumps(plan_once(arguments.once)))
        return
    head, measurements = heading("plan"), []
    with tempfile.TemporaryDirectory(prefix="esteira-bench-") as folder:
        root = Path(folder) / "repository"
        make_repository(root, arguments.files, arguments.csv_bytes)
        for case, prepare in CASES.items():
            prepare(root, arguments.files)
            measurements.append(measure(case, root))
    measurements.append(measure_front_door())
    show(measurements, arguments.files, arguments.csv_bytes)
    head["versions"]["git"] = git(REPOSITORY, "version").split()[2]
    sizes = {"files": arguments.files, "csv_bytes": arguments.csv_bytes}
    write_report(
        report_of(head, {**sizes, "measurements": [asdict(found) for found in measurements]}), arguments.results
    )


if __name__ == "__main__":
    main()
