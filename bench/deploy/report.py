"""What was measured of deploys, as a table for a terminal and in the form of every bench."""

from statistics import median
from typing import Any, Dict, List

from rich.console import Console
from rich.table import Table

from bench.deploy.ours import COMMANDS
from bench.form import OURS, Report, Target, case_of, ratio_of

THEIRS = "the original's Cloud Build file"
TITLES = {
    "partial": "a module changed, `make deploy-partial`",
    "full": "the pipeline changed, `make deploy-full`",
    "network": "a module changed, {latency:.0f} ms a request",
}
HOW = (
    "Wall seconds from the typed command until the job arrives at the stand-in of Vertex AI, both ways in turn in "
    "each round, against the same stand-ins, with the same source and data, committed. Ours is the whole command: "
    "checks of the project, plan, lease, upload of the source, gcloud's submission, and the build's steps up to the "
    "job. The other way is the command of the original's workflow, `gcloud builds submit --no-source`, and the "
    "build's steps, in order: clone, three times `gsutil cp`, with the full file `tfx pipeline compile`, then `tfx "
    "pipeline create` (with the full file `--build-image`) and `tfx run create`, of TFX {tfx}. A wrapper tells the "
    "last one where Vertex AI stands in, and that nobody asks for credentials."
)
LEFT_OUT = (
    "Left out on both sides: pulling the image of each step and starting its container (six steps of the original's "
    "partial file and seven of its full one; of ours two and seven), the layers below an image, which are there "
    "already, and the network. Left out of the original's alone: the workflow's checkout and its filter of paths, "
    "which stand for our plan, and the image that its steps run in, which somebody builds by hand."
)
TARGET_S, TARGET_TIMES = 5.0, 10.0


def report_of(head: Dict[str, Any], measured: Dict[str, Any]) -> Report:
    """Return what was measured in the form of every bench."""
    cases, ratios, notes = [], [], [HOW.format(tfx=head["versions"]["tfx"]), LEFT_OUT]
    for kind, runs in measured["runs"].items():
        title = TITLES[kind].format(latency=measured["latency_s"] * 1000)
        rounds = {way: [run["total_s"] for run in found] for way, found in runs.items() if found}
        ours = case_of(title, OURS, rounds[OURS])
        cases.append(ours)
        if "theirs" in rounds:
            cases.append(case_of(title, THEIRS, rounds["theirs"]))
            ratios.append(ratio_of(ours, cases[-1], rounds[OURS], rounds["theirs"]))
        notes += [parts_note(title, way, found) for way, found in runs.items() if found]
    targets = targets_of(measured["runs"])
    return Report(**head, cases=cases, ratios=ratios, targets=targets, notes=notes, measured=measured)


def parts_note(title: str, way: str, runs: List[Dict[str, Any]]) -> str:
    """Return the medians of the parts that the job waited for, of CPU seconds and of requests."""
    names = runs[0]["parts_s"]
    parts = ", ".join(f"{name} {median(run['parts_s'][name] for run in runs):.2f} s" for name in names)
    told = f"{title}, {OURS if way == OURS else THEIRS}: {parts}; {median(run['cpu_s'] for run in runs):.1f} CPU s"
    if "requests" in runs[0]:
        told += f", {median(run['requests'] for run in runs):.0f} requests"
    return told


def targets_of(runs: Dict[str, Any]) -> List[Target]:
    ours_s = median(run["total_s"] for run in runs["partial"][OURS])
    target = f"a partial deploy in {TARGET_S:g} s or less"
    found = [Target(target=target, found=f"{ours_s:.2f} s", met=ours_s <= TARGET_S)]
    if runs["partial"].get("theirs"):
        times = median(run["total_s"] for run in runs["partial"]["theirs"]) / ours_s
        target = f"a partial deploy {TARGET_TIMES:g} times faster than the original's"
        found.append(Target(target=target, found=f"{times:.1f} times", met=times >= TARGET_TIMES))
    return found


def show(measured: Dict[str, Any]) -> None:
    table, console = Table(title=f"gcloud {measured['gcloud']}"), Console()
    for column in ("case", "way", "until the job is posted, s", "CPU s"):
        table.add_column(column, justify="right" if column.endswith(" s") else "left")
    for kind, runs in measured["runs"].items():
        for way, found in runs.items():
            if found:
                total, cpu = (f"{median(run[key] for run in found):.2f}" for key in ("total_s", "cpu_s"))
                table.add_row(command_of(kind), way, total, cpu)
    console.print(table)
    for kind, runs in measured["runs"].items():
        for way, found in runs.items():
            if found:
                console.print(parts_note(command_of(kind), way, found), highlight=False, markup=False)


def command_of(kind: str) -> str:
    return " ".join(COMMANDS["full" if kind == "full" else "partial"]) + (", slow network" if kind == "network" else "")
