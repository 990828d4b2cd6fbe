"""What was measured, as a table for a terminal and for docs/vertex.md."""

from pathlib import Path
from typing import Any, Dict, List, Tuple

from rich.console import Console
from rich.table import Table

from esteira.files import write_text

BEGIN, END = "<!-- bench-deploy -->", "<!-- /bench-deploy -->"
TITLES = {
    "ours": "`{command}`",
    "theirs": "gsutil, then TFX's own command line",
    "ours, over a network": "`{command}`, {latency:.0f} ms a request",
}
HOW = (
    "Wall seconds from the start of the command until the job arrives at the stand-in of Vertex AI, medians of {runs}; "
    "both ways in turn, against the same stand-ins. The other way is what the original's file for a partial change "
    "runs, one after the other: `gsutil cp` of modules, data, hyperparameters and an encoder, then "
    "`tfx pipeline create` and `tfx run create --engine vertex` of TFX {tfx}, which a wrapper tells where Vertex AI "
    "stands in and that nobody asks for credentials. It makes no plan, takes no lease and uploads no source. Neither "
    "way starts a machine or a container: in Cloud Build each step does, two of ours until the job is there and "
    "seven of the original."
)
Report = Dict[str, Any]


def rows(report: Report) -> List[Tuple[str, float, float, str]]:
    """Return each way with its seconds, its CPU seconds and the parts that the former consist of."""
    found = []
    for name, title in TITLES.items():
        if name in report:
            way = report[name]
            parts = ", ".join(f"{part} {seconds:.2f}" for part, seconds in way["parts_s"].items())
            text = title.format(command=report["command"], latency=report["latency_s"] * 1000)
            found.append((text, way["total_s"], way["cpu_s"], parts))
    return found


def show(report: Report) -> None:
    table = Table(title=f"gcloud {report['gcloud']}, commit {report['commit'][:7]}")
    table.add_column("way")
    table.add_column("until the job is posted, s", justify="right")
    table.add_column("CPU s", justify="right")
    table.add_column("parts, s")
    for title, wall_s, cpu_s, parts in rows(report):
        table.add_row(title, f"{wall_s:.2f}", f"{cpu_s:.2f}", parts)
    console = Console()
    console.print(table)
    for line in remarks(report):
        console.print(line, highlight=False, markup=False)


def remarks(report: Report) -> List[str]:
    ours = report["ours"]
    lines = [
        f"our command returns after {ours['returned_s']:.2f} s; our fastest job came after {ours['fastest_s']:.2f} s",
        f"our job takes {ours['requests']:.0f} requests, some {report['requests_in_sequence']} of them in sequence",
        f"load of the machine meanwhile: {ours['load']:.1f}",
    ]
    if "times_faster" in report:
        lines.insert(0, f"{report['times_faster']:.1f} times faster than TFX's own command line")
    return lines + [f"{'met' if met else 'missed'}: {target}" for target, met in report["targets"].items()]


def markdown(report: Report) -> str:
    lines = ["| way | s | CPU s | of the seconds |", "| --- | ---: | ---: | --- |"]
    lines += [f"| {title} | {wall_s:.2f} | {cpu_s:.2f} | {parts} |" for title, wall_s, cpu_s, parts in rows(report)]
    machine = report["machine"]
    how = HOW.format(runs=len(report["runs"]["ours"]), tfx=machine["tfx"])
    notes = "\n".join(f"- {line}" for line in remarks(report))
    place = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB."
    return "\n\n".join(["\n".join(lines), how, notes, place])


def render_into(path: Path, report: Report) -> bool:
    """Put the table between the markers of a file; return whether it has them."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if BEGIN not in text or END not in text:
        return False
    head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
    write_text(path, f"{head}{BEGIN}\n{markdown(report)}\n{END}{tail}")
    return True
