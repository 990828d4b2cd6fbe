"""What was measured, as a table for a terminal and in the form of every bench."""

from statistics import median
from typing import Any, Dict, List

from rich.console import Console
from rich.table import Table

from bench.form import OURS, Report, Target, case_of, ratio_of

COLUMNS = {
    "requests/s": ("requests_s", "{:,.0f}"),
    "p50 ms": ("p50_ms", "{:.2f}"),
    "p99 ms": ("p99_ms", "{:.2f}"),
    "CPU ms a request": ("cpu_ms", "{:.2f}"),
}
HOW = (
    "Medians of {rounds} rounds of {seconds:g} s each, every way in turn in each round, on one machine that wrk shares "
    "with the servers. Each request has one text of the evaluation split, in turn. The direct calls are of the same "
    "SavedModel in a process of their own, with TensorFlow's default settings, from strings to NumPy's arrays. The "
    "plain server is [bench/serve/peer.py](../bench/serve/peer.py): FastAPI {fastapi}, uvicorn's settings as they are, "
    "and the same network rebuilt as a Keras model, which answers the recorded texts with the same probabilities. CPU "
    "is of the server and what it started. A target is held by the median of the rounds' own ratios."
)
MAX_TIMES_DIRECT, MIN_TIMES_UNBATCHED, MAX_LOG_PERCENT = 2.0, 8.0, 10.0
Runs = Dict[str, Dict[str, List[Dict[str, Any]]]]


def summarise(runs: Runs, many: int) -> Dict[str, Any]:
    """Return the medians of each way at each number of connections, the ratios, and whether each is met."""
    one, load = "1", str(many)

    def ratio(upper: str, lower: str, key: str, at: str) -> float:
        """Return the median of what one way has of the other in each round."""
        pairs = zip(runs[upper][at], runs[lower][at])
        return float(median(above[key] / below[key] for above, below in pairs))

    direct = ratio("batching", "direct", "p50_ms", one)
    batching = ratio("batching", "single", "requests_s", load)
    logged = 100 * (1 - ratio("log", "batching", "requests_s", load))
    found: Dict[str, Any] = {
        "medians": {way: {at: medians(rows) for at, rows in of_way.items()} for way, of_way in runs.items()},
        "targets": {
            f"a batch of one in {MAX_TIMES_DIRECT:g} direct calls at most: {direct:.2f}": direct <= MAX_TIMES_DIRECT,
            f"at {load} connections, batching at least {MIN_TIMES_UNBATCHED:g} times as many as max_batch 1: "
            f"{batching:.1f}": batching >= MIN_TIMES_UNBATCHED,
            f"at {load} connections, the log less than {MAX_LOG_PERCENT:g} % of throughput: {logged:.1f} %": logged
            < MAX_LOG_PERCENT,
        },
        "times_direct": direct,
        "times_unbatched": batching,
        "log_percent": logged,
    }
    peers = [way for way in ("keras", "signature") if way in runs]
    found["times_plain"] = {way: {at: ratio("batching", way, "requests_s", at) for at in runs[way]} for way in peers}
    return found


def medians(rows: List[Dict[str, Any]]) -> Dict[str, float]:
    return {key: median(row[key] for row in rows) for _, (key, _) in COLUMNS.items() if key in rows[0]}


def lines(report: Dict[str, Any]) -> List[List[str]]:
    """Return a row of texts for each way and number of connections."""
    return [
        [report["titles"][way], at, *(shape.format(of[key]) if key in of else "" for key, shape in COLUMNS.values())]
        for way, by_connections in report["medians"].items()
        for at, of in by_connections.items()
    ]


def remarks(report: Dict[str, Any]) -> List[str]:
    told = [f"{'met' if is_met else 'missed'}: {target}" for target, is_met in report["targets"].items()]
    for way, times in report["times_plain"].items():
        at = ", ".join(f"{times[connections]:.1f} at {connections}" for connections in times)
        told.append(f"with batching and without a log, times as many as {report['titles'][way]}, by connections: {at}")
    return told


def show(report: Dict[str, Any]) -> None:
    table = Table(title="requests a second, and what one takes")
    table.add_column("way")
    for column in ("at once", *COLUMNS):
        table.add_column(column, justify="right")
    for row in lines(report):
        table.add_row(*row)
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    for line in remarks(report):
        console.print(line, highlight=False, markup=False)


CASES = {
    ("1", "requests_s"): "1 connection, requests a second",
    ("8", "requests_s"): "8 connections, requests a second",
    ("64", "requests_s"): "64 connections, requests a second",
    ("64", "p99_ms"): "64 connections, 99th percentile of latency",
}
UNIT_OF = {"requests_s": "requests/s", "p50_ms": "ms", "p99_ms": "ms"}
OTHERS = ("signature", "keras", "single", "log")
DIRECT = "1 text at a time, median latency"


def report_of(head: Dict[str, Any], measured: Dict[str, Any]) -> Report:
    """Return what was measured in the form of every bench: ours with batching and no log beside each other way."""
    runs, cases, ratios = measured["runs"], [], []

    def add(title: str, ours: List[float], others: Dict[str, List[float]], unit: str) -> None:
        case = case_of(title, OURS, ours, unit)
        cases.append(case)
        for way, rounds in others.items():
            cases.append(case_of(title, way, rounds, unit))
            ratios.append(ratio_of(case, cases[-1], ours, rounds))

    for (at, key), title in CASES.items():
        others = {measured["titles"][way]: values(runs[way][at], key) for way in OTHERS if way in runs}
        add(title, values(runs["batching"][at], key), others, UNIT_OF[key])
    one = {"a direct call of the SavedModel": values(runs["direct"]["1"], "p50_ms")}
    add(DIRECT, values(runs["batching"]["1"], "p50_ms"), one, "ms")
    notes = [HOW.format(**measured, fastapi=head["versions"]["fastapi"]), *cpu_notes(measured)]
    targets = [
        Target(target=target.rpartition(": ")[0], found=target.rpartition(": ")[2], met=met)
        for target, met in measured["targets"].items()
    ]
    return Report(**head, cases=cases, ratios=ratios, targets=targets, notes=notes, measured=measured)


def values(rounds: List[Dict[str, Any]], key: str) -> List[float]:
    return [found[key] for found in rounds]


def cpu_notes(measured: Dict[str, Any]) -> List[str]:
    """Return each way's processor time and latencies at each number of connections."""
    return [
        f"{measured['titles'][way]}: " + "; ".join(f"{at} at once, {shown(of)}" for at, of in by_connections.items())
        for way, by_connections in in_order(measured["medians"]).items()
    ]


def in_order(found: Dict[str, Dict[str, Any]]) -> Dict[str, Dict[str, Any]]:
    return {way: dict(sorted(of.items(), key=lambda pair: int(pair[0]))) for way, of in found.items()}


def shown(medians: Dict[str, float]) -> str:
    latency = f"p50 {medians['p50_ms']:.2f} ms, p99 {medians['p99_ms']:.2f} ms"
    return f"{latency}, {medians['cpu_ms']:.2f} CPU ms a request" if "cpu_ms" in medians else latency
