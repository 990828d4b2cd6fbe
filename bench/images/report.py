"""What was measured, as tables for a terminal and in the form of every bench, and what of it was to be reached."""

from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Optional, Tuple

from rich.console import Console
from rich.table import Table

from bench.form import OURS, Case, Report, case_of, ratio_of

TITLES = {
    "ours": "ours",
    "docker-pip": "docker build, pip",
    "docker-uv": "docker build, uv",
    "buildkit-uv": "BuildKit, uv, its cache mounted",
    "buildah": "buildah bud, pip",
}
CASE_TITLES = {
    "cold": "cold, wheels at hand",
    "nothing": "nothing changed",
    "code": "one line of code changed",
    "bump": "one dependency bumped",
}
HOW = (
    "Wall seconds of whole commands, build and push, medians where there are rounds. All start with the same base and "
    "the same wheels at hand, built ones among them; the Dockerfiles install them from a page of links on loopback. "
    "Each way pushes to a fresh registry on loopback; what was sent is what appeared in its storage."
)
Row = Dict[str, Any]


@dataclass(frozen=True)
class Target:
    """Something to reach, and what was found. `met` is None where a way or a case was left out."""

    target: str
    found: str
    met: Optional[bool]


def targets_of(measurements: List[Row]) -> List[Target]:
    by = {(row["builder"], row["case"]): row for row in measurements}
    found = [
        ratio(by, "bump", "docker-uv", 100),
        ratio(by, "bump", "buildkit-uv", 100),
        ratio(by, "cold", "docker-uv", 3),
        ratio(by, "cold", "buildkit-uv", 3),
    ]
    for case in ("nothing", "code"):
        row = by.get(("ours", case))
        text = f"{row['build_s']:.2f} s; with the push {row['total_s']:.2f} s" if row else ""
        found.append(Target(f"{case}: build in 0.3 s or less", text, row["build_s"] <= 0.3 if row else None))
    bump, sizes = by.get(("ours", "bump")), [by[key]["size_bytes"] for key in by if key[0].startswith("docker-")]
    sent = f"{bump['bytes_sent'] / 1e6:.1f} MB" if bump else ""
    found.append(Target("bump: sends less than 10 MB", sent, bump["bytes_sent"] < 10e6 if bump else None))
    ours = by.get(("ours", "cold"))
    if ours and sizes:
        text = f"{ours['size_bytes'] / 1e6:.0f} MB, docker's smallest {min(sizes) / 1e6:.0f} MB"
        found.append(Target("no larger than docker's", text, ours["size_bytes"] <= min(sizes)))
    return found


def ratio(by: Dict[Tuple[str, str], Row], case: str, rival: str, times: int) -> Target:
    name = f"{case}: build and push {times} times as fast as {rival}'s"
    ours, theirs = by.get(("ours", case)), by.get((rival, case))
    if not ours or not theirs:
        return Target(name, "", None)
    found = theirs["total_s"] / ours["total_s"]
    return Target(name, f"{found:.1f} times ({theirs['total_s']:.2f} s, {ours['total_s']:.2f} s)", found >= times)


def show(report: Dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"{report['packages']} packages, lock {report['lock']}")
    for column in ("way", "case", "build s", "push s", "both s", "sent MB", "image MB", "load"):
        table.add_column(column, justify="left" if column in ("way", "case") else "right", no_wrap=True)
    for row in report["measurements"]:
        sizes = [f"{row[name] / 1e6:,.2f}" for name in ("bytes_sent", "size_bytes")]
        seconds = [f"{row[name]:.2f}" for name in ("build_s", "push_s", "total_s")]
        table.add_row(row["builder"], row["case"], *seconds, *sizes, f"{row['load_before']:.1f}")
    console.print(table)
    for line in remarks(report):
        console.print(line, highlight=False, markup=False)
    for target in report["targets"]:
        verdict = {True: "met", False: "missed", None: "not measured"}[target["met"]]
        console.print(f"{verdict:>12}  {target['target']}: {target['found']}", highlight=False, markup=False)


def remarks(report: Dict[str, Any]) -> List[str]:
    """Return what is no case: digests, memory, the start of containers, compressors."""
    lines = [
        f"{name}: two builds from nothing gave {'one digest' if same else 'two digests'}"
        for name, same in report["same_digest"].items()
    ]
    lines += [
        f"{row['builder']}, cold: {row['peak_bytes'] / 1e6:.0f} MB in its largest process"
        for row in report["measurements"]
        if row["case"] == "cold" and row["peak_bytes"]
    ]
    lines += [
        f"docker run, import {row['module']}, {row['image']}: {row['wall_s']:.1f} s, {row['cpu_s']:.1f} CPU s"
        for row in report["start"]
    ]
    lines += [
        f"{row['plain_bytes'] / 2**20:.0f} MiB by {row['compressor']}: {row['seconds']:.2f} s, "
        f"{row['packed_bytes'] / 1e6:.1f} MB"
        for row in report["compression"]
    ]
    return lines


def report_of(head: Dict[str, Any], measured: Dict[str, Any]) -> Report:
    """Return what was measured in the form of every bench: of each case and way the seconds of build and push."""
    by = {(row["builder"], row["case"]): row for row in measured["measurements"]}
    cases, ratios = [], []
    for case, title in CASE_TITLES.items():
        of_case = {name: timed(title, way, by[name, case]) for name, way in TITLES.items() if (name, case) in by}
        cases += list(of_case.values())
        ratios += [ratio_of(of_case[OURS], other) for name, other in of_case.items() if name != OURS]
    head["versions"].update(measured["versions"])
    measured = {name: value for name, value in measured.items() if name not in ("versions", "targets")}
    targets = [asdict(target) for target in targets_of(measured["measurements"])]
    return Report(
        **head, cases=cases, ratios=ratios, targets=targets, notes=[HOW, *notes(measured, by)], measured=measured
    )


def timed(title: str, way: str, row: Row) -> Case:
    return case_of(title, way, [run["total_s"] for run in row["runs"]], value=row["total_s"])


def notes(measured: Dict[str, Any], by: Dict[Tuple[str, str], Row]) -> List[str]:
    """Return what else was seen: what each way sent, how large its image is, and what is no case."""
    told = []
    for name, way in TITLES.items():
        of_way = {title: by[name, case] for case, title in CASE_TITLES.items() if (name, case) in by}
        sent = [f"{title} {megabytes(row['bytes_sent'])}" for title, row in of_way.items()]
        if sent:
            size = by[name, "cold"]["size_bytes"] / 1e6
            told.append(f"{way}: an image of {size:,.0f} MB; sent: {', '.join(sent)}")
    return told + remarks(measured)


def megabytes(value: int) -> str:
    if not value:
        return "nothing"
    if value < 1e5:
        return f"{value / 1e3:.1f} kB"
    return f"{value / 1e6:.1f} MB" if value < 10e6 else f"{value / 1e6:,.0f} MB"
