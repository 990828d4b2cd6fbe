"""The one form of what every bench measured: bench/results/<bench>.json.

A case is something that is done, each way of doing it has a value, and a ratio says how many times better ours is than
another way in the same run. What else a bench knows stands under `measured`, in a form of its own.
"""

import datetime
from pathlib import Path
from statistics import median
from typing import Any, Dict, Iterator, List, Optional, Sequence

from importlib_metadata import version
from pydantic import BaseModel, Extra, root_validator

from bench.machine import describe_machine
from esteira.files import write_text
from esteira.git import git

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "bench" / "results"
OURS = "ours"
# Units of which more is better; of the others less is.
RATES = ("requests/s",)
UNITS = ("s", "ms", *RATES)
# In the order of the table.
BENCHES = ("deploy", "images", "run", "plan", "serve", "log")


class Model(BaseModel):
    class Config:
        extra = Extra.forbid
        frozen = True


class Machine(Model):
    """Where it was measured: the load is the system's, of one minute, before the first round."""

    cpu: str
    cores: int
    memory_bytes: int
    load_before: float
    python: str


class Case(Model):
    """What one way took for a case: the median of its rounds, or of a few fastest ones; `least` and `most` of them."""

    case: str
    way: str
    value: float
    unit: str
    least: float
    most: float
    rounds: int

    @root_validator(skip_on_failure=True)
    def is_sound(cls, values: Dict[str, Any]) -> Dict[str, Any]:
        if values["unit"] not in UNITS:
            raise ValueError(f'{values["case"]}: unit "{values["unit"]}"; expected one of {", ".join(UNITS)}')
        if not values["least"] <= values["value"] <= values["most"] or values["rounds"] < 1:
            raise ValueError(f"{values['case']}, {values['way']}: expected least <= value <= most, of a round or more")
        return values


class Ratio(Model):
    """How many times better `way` is than `other`: the quotient of their values, least and most of each round's own."""

    case: str
    way: str
    other: str
    times: float
    least: float
    most: float


class Target(Model):
    """Something to reach, and what was found; `met` is None where it was not measured."""

    target: str
    found: str
    met: Optional[bool]


class Report(Model):
    """A whole run of a bench. `date` is ISO 8601's, `commit` what was measured, `versions` of programs and packages."""

    bench: str
    date: datetime.date
    commit: str
    machine: Machine
    versions: Dict[str, str]
    cases: List[Case]
    ratios: List[Ratio]
    targets: List[Target]
    notes: List[str]
    measured: Dict[str, Any]

    @root_validator(skip_on_failure=True)
    def hangs_together(cls, values: Dict[str, Any]) -> Dict[str, Any]:
        faults = list(faults_of(values))
        if faults:
            raise ValueError("; ".join(faults))
        return values

    def case(self, case: str, way: str = OURS) -> Case:
        """Raises KeyError if the run has none."""
        return by_name(self.cases)[case, way]


def faults_of(values: Dict[str, Any]) -> Iterator[str]:
    cases = by_name(values["cases"])
    if values["bench"] not in BENCHES:
        yield f'bench "{values["bench"]}"; expected one of {", ".join(BENCHES)}'
    if len(values["commit"]) != 40:
        yield f'commit "{values["commit"]}"; expected 40 hex digits'
    if len(cases) < len(values["cases"]):
        yield "a case has a way twice"
    for ratio in values["ratios"]:
        way, other = (cases.get((ratio.case, name)) for name in (ratio.way, ratio.other))
        if way is None or other is None:
            yield f"ratio of {ratio.case}: {ratio.way} or {ratio.other} is not among the cases"
        elif abs(quotient(way.value, other.value, unit=way.unit) - ratio.times) > ratio.times * 1e-6:
            yield f"ratio of {ratio.case}, {ratio.other}: {ratio.times} is not the quotient of the values"


def by_name(cases: Sequence[Case]) -> Dict[Any, Case]:
    return {(case.case, case.way): case for case in cases}


def quotient(way: float, other: float, *, unit: str) -> float:
    """Return how many times better a way's value is than another's."""
    return way / other if unit in RATES else other / way


def case_of(case: str, way: str, rounds: Sequence[float], unit: str = "s", value: Optional[float] = None) -> Case:
    """Return a case of what each round took; its value is their median unless it is given."""
    found = median(rounds) if value is None else value
    return Case(case=case, way=way, value=found, unit=unit, least=min(rounds), most=max(rounds), rounds=len(rounds))


def ratio_of(case: Case, other: Case, rounds: Sequence[float] = (), others: Sequence[float] = ()) -> Ratio:
    """Return how many times better a case is than another way's; the rounds of both, if they were taken in turn."""
    times = quotient(case.value, other.value, unit=case.unit)
    own = [quotient(one, another, unit=case.unit) for one, another in zip(rounds, others)] or [times]
    least, most = min(own), max(own)
    return Ratio(case=case.case, way=case.way, other=other.way, times=times, least=least, most=most)


def heading(bench: str, *packages: str) -> Dict[str, Any]:
    """Return what a report begins with: call it before anything is measured, for the load."""
    return {
        "bench": bench,
        "date": datetime.datetime.now(datetime.timezone.utc).date(),
        "commit": git(REPOSITORY, "rev-parse", "HEAD").strip(),
        "machine": describe_machine(),
        "versions": {name: version(name) for name in packages},
    }


def write_report(report: Report, path: Optional[Path] = None) -> None:
    write_text(path or RESULTS / f"{report.bench}.json", report.json(indent=1) + "\n")


def read_report(path: Path) -> Report:
    """Raises pydantic's ValidationError for a file of another form, OSError if it cannot be read."""
    return Report.parse_raw(path.read_text(encoding="utf-8"))


def read_reports(folder: Path = RESULTS) -> List[Report]:
    """Return what was measured, in the order of the table; what was not is left out."""
    paths = [folder / f"{name}.json" for name in BENCHES]
    return [read_report(path) for path in paths if path.is_file()]
