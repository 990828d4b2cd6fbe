"""What was measured, as a table for a terminal and for docs/serving.md."""

from pathlib import Path
from statistics import median
from typing import Any, Dict, List

from rich.console import Console
from rich.table import Table

from bench.document import put_between

BEGIN, END = "<!-- bench-serve -->", "<!-- /bench-serve -->"
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
            f"at {load} connections, the log less than {MAX_LOG_PERCENT:g} % of throughput: "
            f"{logged:.1f} %": logged < MAX_LOG_PERCENT,
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
    table = Table(title=f"commit {report['commit'][:7]}")
    table.add_column("way")
    for column in ("at once", *COLUMNS):
        table.add_column(column, justify="right")
    for row in lines(report):
        table.add_row(*row)
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    for line in remarks(report):
        console.print(line, highlight=False, markup=False)


def markdown(report: Dict[str, Any]) -> str:
    table = ["| way | at once | " + " | ".join(COLUMNS) + " |", "| --- | ---: |" + " ---: |" * len(COLUMNS)]
    table += ["| " + " | ".join(row) + " |" for row in lines(report)]
    notes = "\n".join(f"- {line}" for line in remarks(report))
    machine = report["machine"]
    place = f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB."
    return "\n\n".join(["\n".join(table), HOW.format(**report), notes, place])


def render_into(path: Path, report: Dict[str, Any]) -> bool:
    """Put the table between the markers of a file; return whether it has them."""
    return put_between(path, BEGIN, END, markdown(report))
