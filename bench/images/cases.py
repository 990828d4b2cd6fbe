"""The cases, each measured on one way of making the image after the other."""

import os
import shutil
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Tuple

from bench.images.builder import Builder, Made
from bench.images.inputs import EDITED, LOCK, WHEELS, bump_lock, edit_code
from bench.images.registry import size_of
from bench.images.timed import median

REPEATED = 5


@dataclass(frozen=True)
class Measurement:
    """One case of one way, in seconds and bytes: medians where it was repeated, all runs in `runs`.

    `build_s` of a joined command is that of the command without a push; `total_s` that of one with it.
    """

    builder: str
    case: str
    build_s: float
    push_s: float
    total_s: float
    bytes_sent: int
    size_bytes: int
    peak_bytes: int
    load_before: float
    runs: List[Dict[str, Any]] = field(default_factory=list)


class Edits:
    """What is done to a way's files before it builds again."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.number = 0

    def none(self) -> None:
        pass

    def code(self) -> None:
        self.number += 1
        edit_code(self.builder.root, self.number)

    def bump(self) -> None:
        bump_lock(self.builder.root)

    def undo(self) -> None:
        """Make the files again what they were when the first image was made."""
        for name in (str(EDITED), WHEELS, LOCK):
            if (self.builder.root / name).exists():
                shutil.copyfile(self.builder.bench.inputs.checkout / name, self.builder.root / name)


CASES = {"cold": "none", "nothing": "none", "code": "code", "bump": "bump"}
SHORT = ("nothing", "code")


def measure_cases(builder: Builder, cases: List[str], done: Callable[[Measurement], None]) -> Tuple[Made, Made]:
    """Measure the cases in their order; return the first image, which is made from nothing, and the last."""
    edits, images = Edits(builder), []
    for case in (case for case in CASES if case == "cold" or case in cases):
        load, runs = os.getloadavg()[0], []
        for _ in range(REPEATED if case in SHORT else 1):
            made, run = measure_run(builder, getattr(edits, CASES[case]), alone=case in SHORT and builder.joined)
            images.append(made)
            runs.append(run)
        done(summarise(builder, case, made, runs, load))
    edits.undo()
    return images[0], images[-1]


def measure_run(builder: Builder, edit: Callable[[], None], *, alone: bool) -> Tuple[Made, Dict[str, Any]]:
    """Edit, make and push; if `alone`, edit and make once more without a push, for the time of the build."""
    build_s = None
    if alone:
        edit()
        build_s = builder.make(push=False).build_s
    edit()
    stored = builder.registry.stored_bytes()
    made = builder.make()
    run = {
        "build_s": made.build_s if build_s is None else build_s,
        "push_s": made.total_s - made.build_s,
        "total_s": made.total_s,
        "bytes_sent": builder.registry.stored_bytes() - stored,
        "cpu_s": made.cpu_s,
        "peak_bytes": made.peak_bytes,
    }
    return made, run


def summarise(builder: Builder, case: str, made: Made, runs: List[Dict[str, Any]], load: float) -> Measurement:
    _, manifest = builder.registry.manifest(builder.repository, builder.tag(made))
    return Measurement(
        builder=builder.name,
        case=case,
        build_s=round(median(run["build_s"] for run in runs), 3),
        push_s=round(median(run["push_s"] for run in runs), 3),
        total_s=round(median(run["total_s"] for run in runs), 3),
        bytes_sent=int(median(run["bytes_sent"] for run in runs)),
        size_bytes=size_of(manifest),
        peak_bytes=max(run["peak_bytes"] for run in runs),
        load_before=load,
        runs=[{name: round(value, 3) for name, value in run.items()} for run in runs],
    )
