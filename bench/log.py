"""How fast a large request log is loaded and read: `python -m bench.log`.

Writes 1,000,000 requests of a text each to a journal, as the server does, and then, each in a process of its own and
on two threads: loads them, and reads every column of the view `requests`, and the other views. Beside them, in the same
run and on the same engine, the view as people write it who log with AI Platform Prediction: in each row an array over
the instances, joined to the predictions by their offsets, of what JSON_EXTRACT finds, cast without care. Its text here
is our own, of that shape. DuckDB runs nothing that sqlglot makes of it (UNNEST WITH ORDINALITY is not implemented), so
its offsets are numbered by generate_subscripts. Prints a table, and writes bench/results/log.json.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import sqlglot
from rich.console import Console
from rich.table import Table
from sqlglot import exp

from bench.form import OURS, Case, Report, case_of, heading, ratio_of, write_report
from esteira.monitoring.deployed import Deployed
from esteira.monitoring.journal.request_log import RequestLog
from esteira.monitoring.signature_columns import DEFAULT_INPUTS, DEFAULT_OUTPUTS
from esteira.monitoring.translate.statement import translate
from esteira.monitoring.views import VIEWS, read_models, render_view
from esteira.monitoring.warehouse.database import Place, Warehouse, open_place
from esteira.serving.answer_log import Exchange

REPOSITORY = Path(__file__).resolve().parent.parent
LABELS = ("negative", "neutral", "positive")
THREADS, MEMORY, TIMEOUT_S = 2, "1500MB", 1800
FIRST_ID = 2**62
# Every column is read: hashed, or counted and summed.
SCAN = """SELECT COUNT(*), SUM(hash(request_id)), SUM(row_number), MAX(time), SUM(hash(endpoint)),
  SUM(hash(deployed_model_id)), SUM(hash(model_version)), SUM(hash(release_id)), SUM(hash(text)), SUM(hash(label)),
  SUM(confidence), SUM(list_sum(probabilities)), SUM(hash(label_true)), COUNT(error)
FROM esteira.requests"""
SOME = """SELECT COUNT(*), SUM(hash(endpoint)), SUM(hash(model_version)), MAX(time), SUM(hash(text)), SUM(confidence)
FROM esteira.requests"""
AS_PEOPLE_WRITE_IT = """SELECT model, model_version, time, ARRAY(
  SELECT AS STRUCT
    JSON_EXTRACT(i, '$.text') AS text,
    CAST(JSON_EXTRACT(p, '$.confidence') AS FLOAT64) AS confidence
  FROM UNNEST(JSON_EXTRACT_ARRAY(raw_prediction, '$.predictions')) AS p WITH OFFSET AS p_offset
  JOIN UNNEST(JSON_EXTRACT_ARRAY(raw_data, '$.instances')) AS i WITH OFFSET AS i_offset ON p_offset = i_offset
) AS request
FROM `{table}` WHERE model_version = '1'"""


def place_of(folder: Path) -> Place:
    return Place(folder, REPOSITORY, ai_platform="old.predictions")


def write_journal(folder: Path, rows: int) -> None:
    """Log requests of a text of some 80 characters, as the server answers them."""
    log = RequestLog(folder, percent=100, text="keep")
    deployed = Deployed("projects/local/endpoints/bench", "1", "1", "release", LABELS, DEFAULT_INPUTS, DEFAULT_OUTPUTS)
    for number in range(rows):
        text = f"a headline number {number} that says at some length what happened, and to whom: é"
        request = json.dumps({"instances": [{"text": text}]}, ensure_ascii=False).encode()
        confidence = round(0.4 + (number % 600) / 1000, 3)
        chances = [confidence, round((1 - confidence) / 3, 6), round((1 - confidence) * 2 / 3, 6)]
        answer = {"label": LABELS[number % 3], "confidence": confidence, "probabilities": chances}
        response = json.dumps({"predictions": [answer]}).encode()
        log.keep([Exchange(deployed, FIRST_ID + number, request, response)])
    log.close()


def load(folder: Path) -> Dict[str, Any]:
    started_s, started_cpu_s = time.monotonic(), time.process_time()
    with open_place(place_of(folder)) as warehouse:
        wall_s, cpu_s = time.monotonic() - started_s, time.process_time() - started_cpu_s
        return {"wall_s": wall_s, "cpu_s": round(cpu_s, 2), "rows": warehouse.loaded}


def prepare(folder: Path) -> Dict[str, Any]:
    """Make the views, tell some truths, and lay the same requests down in the form of AI Platform."""
    with open_place(place_of(folder)) as warehouse:
        models, columns = read_models(warehouse), warehouse.columns("request_log")
        for view in VIEWS:
            warehouse.query(view, render_view(view, "esteira", models, columns))
        run = warehouse.connection.execute
        run(
            "INSERT INTO esteira.ground_truth SELECT request_id, 0, 'neutral', now() FROM esteira.request_log "
            "WHERE request_id % 50 = 0"
        )
        run(
            "INSERT INTO old.predictions (model, model_version, time, raw_data, raw_prediction) SELECT 'bench', '1', "
            "logging_time, '{\"instances\":[' || array_to_string(request_payload, ',') || ']}', "
            "'{\"predictions\":[' || array_to_string(response_payload, ',') || ']}' FROM esteira.request_log"
        )
    return {"wall_s": 0.0, "cpu_s": 0.0}


def timed(folder: Path, sql: str) -> Dict[str, Any]:
    with open_place(place_of(folder)) as warehouse:
        limit(warehouse)
        started_s, started_cpu_s = time.monotonic(), time.process_time()
        answer = warehouse.connection.execute(sql).fetchall()
        assert answer, "the log is empty"
        wall_s, cpu_s = time.monotonic() - started_s, time.process_time() - started_cpu_s
        return {"wall_s": wall_s, "cpu_s": round(cpu_s, 2), "rows": answer[0][0]}


def limit(warehouse: Warehouse) -> None:
    warehouse.connection.execute(f"SET threads = {THREADS}")
    warehouse.connection.execute(f"SET memory_limit = '{MEMORY}'")


def read_requests(folder: Path) -> Dict[str, Any]:
    return timed(folder, SCAN)


def read_some(folder: Path) -> Dict[str, Any]:
    return timed(folder, SOME)


def read_daily(folder: Path) -> Dict[str, Any]:
    return timed(folder, "SELECT SUM(instances), SUM(hash(daily)) FROM esteira.daily")


def read_accuracy(folder: Path) -> Dict[str, Any]:
    return timed(folder, "SELECT SUM(instances), SUM(hash(accuracy)) FROM esteira.accuracy")


def read_latest(folder: Path) -> Dict[str, Any]:
    sql = "SELECT * FROM `esteira.requests` ORDER BY time DESC, request_id DESC LIMIT 20"
    return {**timed(folder, translate(sql)), "rows": 20}


def read_as_people_do(folder: Path, text: str = AS_PEOPLE_WRITE_IT) -> Dict[str, Any]:
    sql = people_sql(text.replace("{table}", "old.predictions"))
    return timed(folder, f"SELECT SUM(len(request)), SUM(hash(request)), SUM(hash(model)), MAX(time) FROM ({sql})")


def people_sql(text: str) -> str:
    """Return the text in DuckDB's SQL as sqlglot writes it, with a number beside each element."""
    tree = sqlglot.parse_one(text, dialect="bigquery")
    for unnest in list(tree.find_all(exp.Unnest)):
        (values,) = unnest.expressions
        name, offset = unnest.args["alias"].columns[0].name, unnest.args["offset"].name
        numbers = exp.func("generate_subscripts", values.copy(), exp.Literal.number(1))
        both = exp.select(exp.alias_(exp.func("unnest", values.copy()), name), exp.alias_(numbers, offset))
        unnest.replace(both.subquery(f"{name}_list"))
    return str(tree.sql(dialect="duckdb"))


STEPS: Dict[str, Callable[[Path], Dict[str, Any]]] = {
    "load the journal": load,
    "prepare": prepare,
    "every column of requests": read_requests,
    "the columns that people's view has": read_some,
    "daily": read_daily,
    "accuracy": read_accuracy,
    "the latest 20 requests": read_latest,
    "the view as people write it": read_as_people_do,
}


def measure(step: str, folder: Path, times: int) -> Dict[str, Any]:
    """Return a step's time, of some the fastest, and the peak memory of its process."""
    found = []
    for _ in range(times):
        command = [sys.executable, "-m", "bench.log", "--once", step, "--folder", str(folder)]
        done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, timeout=TIMEOUT_S, check=True)
        found.append(json.loads(done.stdout))
    best = min(found, key=lambda one: one["wall_s"])
    walls = [round(one["wall_s"], 3) for one in found]
    peak_bytes = max(one["peak_bytes"] for one in found)
    return {"step": step, **best, "wall_s": min(walls), "peak_bytes": peak_bytes, "walls_s": walls}


def show(measurements: List[Dict[str, Any]], rows: int) -> None:
    table = Table(title=f"{rows:,} logged requests, {THREADS} threads, DuckDB's memory limited to {MEMORY}")
    for column in ("step", "wall s", "CPU s", "peak MB"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for found in measurements:
        table.add_row(
            found["step"], f"{found['wall_s']:.2f}", f"{found['cpu_s']:.2f}", f"{found['peak_bytes'] / 1e6:.0f}"
        )
    Console().print(table)


PEOPLE, PEOPLES = "the view as people write it", "the view as people write it for AI Platform"
TITLES = {
    "load the journal": "load the journal",
    "every column of requests": "read every column of `requests`",
    "the columns that people's view has": "read what that view has",
    "daily": "read `daily`",
    "accuracy": "read `accuracy`, 2 % with a truth",
    "the latest 20 requests": "read the latest 20 requests",
}
COMPARED = ("every column of requests", "the columns that people's view has")


def report_of(head: Dict[str, Any], measured: Dict[str, Any]) -> Report:
    """Return what was measured in the form of every bench. A value is the fastest of a step's rounds."""
    steps = {found["step"]: found for found in measured["measurements"]}

    def case(step: str, title: str, way: str = OURS) -> Case:
        found = steps[step]
        return case_of(title, way, found.get("walls_s", [found["wall_s"]]), value=found["wall_s"])

    cases = [case(step, title) for step, title in TITLES.items()]
    others = [case(PEOPLE, TITLES[step], PEOPLES) for step in COMPARED]
    ratios = [ratio_of(case(step, TITLES[step]), other) for step, other in zip(COMPARED, others)]
    notes = [
        f"{measured['rows']:,} logged requests of a text each, {THREADS} threads, DuckDB's memory limited to "
        f"{MEMORY}; of each step the fastest of its rounds.",
        *(
            f"{TITLES.get(step, PEOPLES)}: {found['cpu_s']:.1f} CPU s, {found['peak_bytes'] / 1e6:,.0f} MB at most."
            for step, found in steps.items()
        ),
    ]
    return Report(**head, cases=cases + others, ratios=ratios, targets=[], notes=notes, measured=measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--results", type=Path, help="write here and nowhere else")
    parser.add_argument("--once", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        found = STEPS[arguments.once](arguments.folder)
        peak_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({**found, "peak_bytes": peak_bytes}, default=str))
        return
    head = heading("log", "duckdb", "sqlglot")
    with tempfile.TemporaryDirectory(prefix="esteira-bench-") as folder:
        root = Path(folder) / "warehouse"
        write_journal(root, arguments.rows)
        measurements = [measure(step, root, 3 if step.startswith(("every", "the")) else 1) for step in STEPS]
    measurements = [found for found in measurements if found["step"] != "prepare"]
    show(measurements, arguments.rows)
    report = report_of(head, {"rows": arguments.rows, "measurements": measurements})
    for ratio in report.ratios:
        print(f"{ratio.case}: {ratio.times:.1f} times faster")
    write_report(report, arguments.results)


if __name__ == "__main__":
    main()
