"""The job run here against TFX's LocalDagRunner: `python -m bench.run`.

One pipeline, one data set, as many epochs; each variant in a fresh process with a state folder
of its own. Prints a table, and writes bench/results/run.json. Times are of the whole process,
Python's start and the imports included; compiling the job is told apart, since a job is
compiled once and run often. All variants run in each round; twelve minutes.
"""

import argparse
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List

from rich.console import Console
from rich.table import Table

from bench.form import OURS, Report, case_of, heading, ratio_of, write_report
from esteira.data.prepare import prepare_data
from esteira.files import write_text
from esteira.jobs.bind import bind_job
from esteira.jobs.bundle import bundle_modules
from esteira.jobs.compile import compile_job
from esteira.local.jobs.run import run_job
from esteira.progress import Progress
from esteira.settings import Settings, load_settings

REPOSITORY = Path(__file__).resolve().parent.parent
REFERENCE = "LocalDagRunner"
METADATA_STORE = "projects/local/locations/local/metadataStores/default"


@dataclass(frozen=True)
class Measurement:
    """One variant: its wall and CPU time, and how its tasks ended."""

    variant: str
    wall_s: float
    cpu_s: float
    detail: Dict[str, Any]


def settings_of(work: Path, variant: str, epochs: int) -> Settings:
    isolation = "process" if variant == "process" else "fork"
    state = {"cached": "fork", "second": "fork"}.get(variant, variant)
    flags = {"training.epochs": str(epochs), "run.isolation": isolation}
    return load_settings(REPOSITORY, {"ESTEIRA_STATE": str(work / state)}, flags)


def parameters_of(work: Path, settings: Settings) -> Dict[str, str]:
    return {
        "data_uri": str(work / "data"),
        "schema_uri": str(work / "data" / "schema"),
        "modules_uri": str(work / "modules.py"),
        "hyperparameters_uri": str(REPOSITORY / "modules" / "best_hyperparameters"),
        "push_destination": json.dumps({"filesystem": {"base_directory": str(settings.state / "serving")}}),
    }


def compile_variant(work: Path, settings: Settings) -> Dict[str, Any]:
    compile_job(settings, work / "job.json")
    return {}


def run_local_dag_runner(work: Path, settings: Settings) -> Dict[str, Any]:
    from tfx import v1 as tfx

    from pipeline.pipeline import create_pipeline

    settings.state.mkdir(parents=True)
    store = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(settings.state / "metadata.db"))
    pipeline = create_pipeline(
        settings,
        root=str(settings.state / "root"),
        defaults=parameters_of(work, settings),
        metadata_config=store,
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)
    return {}


def run_ours(work: Path, settings: Settings) -> Dict[str, Any]:
    job = bind_job(
        json.loads((work / "job.json").read_text(encoding="utf-8")),
        image="local@sha256:" + "0" * 64,
        pipeline_root=str(settings.state / "root"),
        parameters=parameters_of(work, settings),
        labels={},
        metadata_store=METADATA_STORE,
    )
    run_id = f"run-{int(time.time() * 1000)}"
    with Progress([]) as report:
        result = run_job(job, settings=settings, run_id=run_id, report=report).require_success()
    return {name: {"state": task.state, "wall_s": round(task.wall_s, 2)} for name, task in result.tasks.items()}


VARIANTS: Dict[str, Callable[[Path, Settings], Dict[str, Any]]] = {
    "compile": compile_variant,
    REFERENCE: run_local_dag_runner,
    "fork": run_ours,
    # The Evaluator runs again: the first run's model has become its baseline.
    "second": run_ours,
    "cached": run_ours,
    "process": run_ours,
}


def prepare(work: Path, data: str, rows: int, settings: Settings) -> Dict[str, int]:
    """Lay down what the job reads; return the rows of each split."""
    source = Path(data) if data else work / "all"
    if not data:
        prepare_data(settings, source)
    shutil.copytree(source, work / "data")
    (work / "modules.py").write_bytes(bundle_modules(REPOSITORY / "modules"))
    counts = {}
    for split in ("train", "eval"):
        path = work / "data" / split / f"{split}.csv"
        with (source / split / f"{split}.csv").open(encoding="utf-8", newline="") as lines:
            kept = list(itertools.islice(lines, 1 + rows if rows else None))
        write_lines(path, kept)
        counts[split] = len(kept) - 1
    return counts


def write_lines(path: Path, lines: List[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(lines)


def measure(variant: str, work: Path, epochs: int) -> Measurement:
    """Run a variant in a process of its own. Its output goes to <work>/<variant>.log."""
    answer = work / f"{variant}.json"
    command = [
        sys.executable,
        "-m",
        "bench.run",
        "--variant",
        variant,
        "--work",
        str(work),
        "--epochs",
        str(epochs),
    ]
    before, started_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with (work / f"{variant}.log").open("wb") as log:
        status = subprocess.run(command, cwd=REPOSITORY, stdout=log, stderr=log, check=False).returncode
    wall_s, after = time.monotonic() - started_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    if status:
        raise SystemExit(f"{variant} left with status {status}: {work / variant}.log")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measurement(variant, round(wall_s, 2), round(cpu_s, 2), json.loads(answer.read_text(encoding="utf-8")))


def show(measurements: List[Measurement], rows: Dict[str, int], epochs: int) -> None:
    reference = next((m.wall_s for m in measurements if m.variant == REFERENCE), 0.0)
    table = Table(title=f"{rows['train']} + {rows['eval']} rows, {epochs} epochs")
    for column in ("variant", "wall s", "CPU s", f"wall / {REFERENCE}"):
        table.add_column(column, justify="left" if column == "variant" else "right")
    for found in measurements:
        ratio = f"{found.wall_s / reference:.2f}" if reference and found.variant != "compile" else ""
        table.add_row(found.variant, f"{found.wall_s:.2f}", f"{found.cpu_s:.2f}", ratio)
    Console().print(table)


# What each variant is called in the table, as case and way.
TITLES = {
    "compile": ("compile the pipeline to a job", OURS),
    REFERENCE: ("the whole job", "TFX's LocalDagRunner"),
    "fork": ("the whole job", OURS),
    "second": ("the job again, with a model to compare with", OURS),
    "cached": ("the job again, all of it cached", OURS),
    "process": ("the whole job, a process for each task", OURS),
}
COMPARED = ("fork", "process")


def report_of(head: Dict[str, Any], measured: Dict[str, Any]) -> Report:
    """Return what was measured in the form of every bench."""
    rounds = {
        variant: [found["wall_s"] for found in measured["measurements"] if found["variant"] == variant]
        for variant in TITLES
    }
    rounds = {variant: walls for variant, walls in rounds.items() if walls}
    cases = {variant: case_of(*TITLES[variant], walls) for variant, walls in rounds.items()}
    ratios, others = [], []
    for variant in COMPARED if REFERENCE in rounds else ():
        if variant in rounds:
            other = case_of(TITLES[variant][0], TITLES[REFERENCE][1], rounds[REFERENCE])
            others.append(other)
            ratios.append(ratio_of(cases[variant], other, rounds[variant], rounds[REFERENCE]))
    own = [case for variant, case in cases.items() if variant != REFERENCE]
    rows = measured["rows"]
    notes = [
        f"{rows['train']:,} rows to train on, {rows['eval']:,} to evaluate, {measured['epochs']} epochs; each variant "
        "in a fresh process, its start and the imports counted. A job is compiled once and run often: LocalDagRunner "
        "compiles nothing.",
    ]
    return Report(**head, cases=own + others, ratios=ratios, targets=[], notes=notes, measured=measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="", help="a prepared data folder; without it the default data is prepared")
    parser.add_argument("--rows", type=int, default=4000, help="rows a split at most; 0 for all")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(VARIANTS), help="variants, with commas")
    parser.add_argument("--results", type=Path, help="write here and nowhere else")
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.variant:
        settings = settings_of(arguments.work, arguments.variant, arguments.epochs)
        detail = VARIANTS[arguments.variant](arguments.work, settings)
        write_text(arguments.work / f"{arguments.variant}.json", json.dumps(detail))
        return
    head, measurements = heading("run", "tfx", "tensorflow", "apache-beam"), []
    with tempfile.TemporaryDirectory(prefix="esteira-bench-") as folder:
        data = arguments.data
        for number in range(arguments.rounds):
            # Nothing of an earlier round is in its state; its data is prepared once.
            work = Path(folder) / str(number)
            work.mkdir()
            rows = prepare(work, data, arguments.rows, load_settings(REPOSITORY, os.environ, {}))
            data = data or str(work / "all")
            of_round = [measure(variant, work, arguments.epochs) for variant in arguments.only.split(",")]
            show(of_round, rows, arguments.epochs)
            measurements += of_round
    measured = {"rows": rows, "epochs": arguments.epochs, "measurements": [asdict(found) for found in measurements]}
    report = report_of(head, measured)
    if arguments.results or arguments.only == ",".join(VARIANTS):
        write_report(report, arguments.results)


if __name__ == "__main__":
    main()
