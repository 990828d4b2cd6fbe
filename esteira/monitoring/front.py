"""What a person types to read the request log, to tell it the truth, and to have it forget."""

from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, List

from rich.console import Console, RenderableType

from esteira.errors import SettingsError, WarehouseError
from esteira.monitoring.engine import Engine
from esteira.monitoring.show import show_rows
from esteira.settings import Settings

Say = Callable[[str], None]
# So that a question about what just happened reads few partitions, which are what BigQuery charges for.
DAYS = 30
NO_REQUESTS = (
    f"No request of the last {DAYS} days is logged. Ask the model: make serve    "
    'then: make predict TEXT="I love this film"'
)
# https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations
IS_RECENT = (
    "not erased yet, as a row of them came of late. BigQuery deletes no row that was streamed, as Vertex AI streams "
    "them, within the last half hour, at times the last 90 minutes."
)
NO_TRUTH = f"No request of the last {DAYS} days has a ground truth yet. Tell it: make groundtruth FILE=truths.csv"


@contextmanager
def opened_engine(settings: Settings) -> Iterator[Engine]:
    """Give what the environment's request log lies in."""
    if settings.is_local:
        from esteira.monitoring.warehouse.database import open_warehouse

        with open_warehouse(settings) as warehouse:
            yield warehouse
    else:
        from esteira.google.open import open_api
        from esteira.monitoring.bigquery.engine import BigQuery

        yield BigQuery(settings, open_api(settings))


@contextmanager
def viewed_engine(settings: Settings) -> Iterator[Engine]:
    """Give the same, with its views; on this machine no deploy has made them, and it takes no time."""
    from esteira.monitoring.views import make_views

    with opened_engine(settings) as engine:
        if settings.is_local:
            make_views(engine, settings)
        yield engine


def views(settings: Settings, say: Say) -> None:
    """Make the views again, and say what a month of them costs to read."""
    from esteira.monitoring.views import make_views, scanned_by_view

    with opened_engine(settings) as engine:
        for name in make_views(engine, settings):
            say(f"view {name}")
        scanned = scanned_by_view(engine, DAYS)
    if not scanned:
        say("On this machine nothing is charged for reading them.")
    for view, size in scanned.items():
        say(f"Reading the last {DAYS} days of {view} scans {size:,} bytes ({size / 1e9:.2f} GB) of what is there now.")


def requests(settings: Settings, limit: int, format: str) -> RenderableType:
    """Return the latest requests, a row an instance."""
    from esteira.monitoring.views import latest_requests

    if limit < 1:
        raise SettingsError(f"LIMIT={limit}: expected 1 or more. Run: make requests LIMIT=20")
    with viewed_engine(settings) as engine:
        rows = latest_requests(engine, limit, DAYS)
    if format == "table":
        rows = [{name: row[name] for name in row if name not in HIDDEN} for row in rows]
    return show_rows(rows, format, "make requests", empty=NO_REQUESTS)


# What a table of requests leaves out, as it is the same in each row or long.
HIDDEN = ("endpoint", "deployed_model_id", "probabilities")


def daily(settings: Settings, format: str) -> RenderableType:
    """Return what each release answered on each day."""
    from esteira.monitoring.views import daily_rows

    with viewed_engine(settings) as engine:
        return show_rows(daily_rows(engine, DAYS), format, "make daily", empty=NO_REQUESTS)


def accuracy(settings: Settings, format: str) -> RenderableType:
    """Return how often each release was right on each day."""
    from esteira.monitoring.views import accuracy_rows

    with viewed_engine(settings) as engine:
        return show_rows(accuracy_rows(engine, DAYS), format, "make accuracy", empty=NO_TRUTH)


def ground_truth(settings: Settings, file: str) -> str:
    """Load the truth about requests from a file, and say how much of it was."""
    from esteira.monitoring.ground_truth import load_ground_truth

    with opened_engine(settings) as engine:
        return load_ground_truth(engine, Path(file)).told


def load_log(settings: Settings, file: str) -> str:
    """Load logged requests from a file, in Vertex AI's form or AI Platform's, and say how many there were."""
    from esteira.monitoring.load_rows import load_rows

    with opened_engine(settings) as engine:
        loaded = load_rows(engine, Path(file), settings.log.ai_platform)
    return f"{loaded.rows:,} requests into {loaded.table}"


def erase_requests(settings: Settings, text: str, yes: bool, console: Console) -> None:
    """Erase the requests whose ids are given, once a person, or YES=1, agrees."""
    from esteira.ask_person import agrees
    from esteira.monitoring.erase import erase

    ids = request_ids(text)
    if not yes and not agrees(console, f"Erase {len(ids)} requests, with what is known of them? [y/N] "):
        console.print(f"Nothing was erased. To erase: {erase_command(settings, text)} YES=1", markup=False)
        return
    with opened_engine(settings) as engine:
        erased = erase(engine, ids)
    console.print(f"Erased {len(erased.erased)} requests.")
    faults = []
    if erased.missing:
        missing = listed(erased.missing)
        faults.append(f"REQUEST={missing}: not in the request log. Expected ids as `make requests` shows them.")
    if erased.waiting:
        waiting = listed(erased.waiting)
        faults.append(f"REQUEST={waiting}: {IS_RECENT}\nRun then: {erase_command(settings, waiting)}")
    if faults:
        raise WarehouseError("\n".join(faults))


def erase_command(settings: Settings, ids: str) -> str:
    environment = "" if settings.is_local else f" ENV={settings.selected}"
    return f"make erase REQUEST={ids}{environment}"


def listed(ids: List[int]) -> str:
    return ",".join(map(str, ids))


def request_ids(text: str) -> List[int]:
    """Return the ids that are given with commas between them. Raises SettingsError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise SettingsError(
            f"REQUEST={text}: expected numbers as `make requests` shows them, with commas between them. "
            "Run: make erase REQUEST=4611686018427387904"
        )
    return [int(part) for part in parts]
