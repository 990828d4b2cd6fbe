"""How things stand, as the summary of a job shows it: what came of the last deploy, its figures, and where to look."""

from typing import Iterator, List, Optional, Tuple

from esteira.deploy.status import Status
from esteira.jobs.verdict import EVALUATION_COLUMNS, evaluation_rows
from esteira.markdown import block, code, link, plain, table
from esteira.release.gist import moment, short_commit
from esteira.release.manifest import Outcome, Release
from esteira.settings import LOCAL

HEADINGS = {
    "deploying": "A deploy is under way",
    "served": "Served",
    "not blessed": "Not blessed: the model missed the gate, and is not served",
    "failed": "The last deploy failed",
    "interrupted": "The last deploy was interrupted",
    "none": "Nothing is deployed yet",
}
REFUSED = "Not deployed: nothing was submitted, and what was served before still is"
FIGURES = ("value", "threshold", "baseline")


def status_markdown(status: Status) -> str:
    """Return the verdict, what is served, links, the error and the metrics of the last deploy, as Markdown."""
    return "\n".join(paragraphs(status))


def paragraphs(status: Status) -> Iterator[str]:
    yield f"### {REFUSED if status.refused else HEADINGS[status.state]}\n"
    if status.refused:
        yield f"{block(status.refused.error)}\n"
    heading, *rows = [[name, value] for name, value in facts(status) if value]
    yield f"{table(heading, rows)}\n"
    error = error_of(status)
    if error:
        yield f"{block(error)}\n"
    outcome = judged(status)
    if outcome is not None:
        yield f"{metrics_table(outcome)}\n"
    yield f"More: {', '.join(code(command) for command in commands(status))}"


def facts(status: Status) -> Iterator[Tuple[str, str]]:
    """Yield what is known by name, as Markdown, empty where it is not."""
    record, run, made, current = status.record, status.run, status.made, status.current
    yield "Environment", code(status.environment)
    yield "Under way", plain(status.lease.describe()) if status.lease else ""
    last = "Last deploy before it" if status.refused else "Last deploy"
    yield last, f"{plain(record.what)}, {ended(status)}" if record else ""
    yield "Its release", release_line(made) if made and (current is None or made.id != current.id) else ""
    yield "Its build", link("steps and log in Cloud Build", status.build_page) if status.build_page else ""
    yield "Its run", f"{link('pipeline run in Vertex AI', run.link)}, {plain(run.state)}" if run else ""
    lost = f"{code(status.lost)}, whose manifest is lost" if status.lost else ""
    yield "Served", release_line(current) if current else lost
    yield "Endpoint", link("endpoint in Vertex AI", status.endpoint_page) if status.endpoint_page else ""


def ended(status: Status) -> str:
    """Return how and when the last deploy ended, or since when it runs."""
    record = status.record
    assert record is not None
    if record.is_running:
        return f"running since {moment(record.started)} UTC"
    state = "killed" if record.state == "running" else record.state
    return f"{state} at {moment(record.finished or record.started)} UTC"


def release_line(release: Release) -> str:
    commit = f" of commit {code(short_commit(release))}" if release.commit else ""
    return f"release {code(release.id)} ({release.kind}){commit}"


def error_of(status: Status) -> str:
    """Return why the last deploy came to nothing, with the tasks of its run that failed; empty if it did not."""
    record, run = status.record, status.run
    lines = [record.error] if record and record.error else []
    if run is not None:
        lines += [f"{name}: {error}" for name, error in run.failed.items()]
        lines += [run.error] if run.error else []
    return "\n".join(lines)


def judged(status: Status) -> Optional[Outcome]:
    """Return the outcome that has figures: the last deploy's, else that of what is served."""
    for release in (status.made, status.current):
        if release and release.outcome and release.outcome.evaluation:
            return release.outcome
    return None


def metrics_table(outcome: Outcome) -> str:
    """Return each metric against its threshold and the model that served before."""
    rows = [[code(name), *map(plain, figures), mark] for name, *figures, mark in evaluation_rows(outcome.evaluation)]
    columns = [column.capitalize() for column in EVALUATION_COLUMNS]
    return table(columns, rows, right=[column.capitalize() for column in FIGURES])


def commands(status: Status) -> List[str]:
    """Return what to type to see more."""
    if status.environment == LOCAL:
        return ["make status", "make releases"]
    return [f"make {target} ENV={status.environment}" for target in ("status", "logs", "releases")]
