"""The views over the request log, made of the templates in sql/ and of the signatures of what was deployed."""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import jinja2

from esteira.errors import WarehouseError
from esteira.monitoring.deployed import Deployed
from esteira.monitoring.engine import Engine, Row
from esteira.monitoring.signature_columns import columns_of
from esteira.serving.signature import TensorSpec
from esteira.settings import Settings

FOLDER = Path(__file__).resolve().parent.parent.parent / "sql"
# In the order in which they are made: the later ones read the first.
VIEWS = ("requests", "daily", "accuracy")
TABLES = ("request_log", "deployed_models", "ground_truth")
# An answer that is less sure than this counts as unsure.
UNSURE = 0.5
# What a deploy asks an endpoint that people use, too, begins so; the view `requests` leaves it out.
OWN = "Esteira itself asks this, and no view shows it:"
# https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#table_names
NAME_PATTERN = re.compile(r"([a-z0-9.:-]{1,100}\.)?[A-Za-z0-9_]{1,1024}(\.[A-Za-z0-9_-]{1,1024})?\Z")


def read_models(engine: Engine) -> List[Deployed]:
    """Return every model that was ever deployed, the oldest first, as its latest row tells of it.

    A signature that cannot be read is one without inputs and outputs. Raises WarehouseError.
    """
    return [deployed_of(row) for row in engine.query("read the models", render("models", engine.dataset))]


def deployed_of(row: Row) -> Deployed:
    inputs, outputs = read_signature(row["signature"])
    return Deployed(
        endpoint=row["endpoint"] or "",
        id=row["deployed_model_id"],
        model_version=row["model_version"] or "",
        release=row["release_id"] or "",
        labels=tuple(row["labels"] or ()),
        inputs=inputs,
        outputs=outputs,
    )


def read_signature(text: Optional[str]) -> Tuple[Tuple[TensorSpec, ...], Tuple[TensorSpec, ...]]:
    try:
        signature = json.loads(text or "{}")
        return tuple(map(tensor_of, signature["inputs"])), tuple(map(tensor_of, signature["outputs"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return (), ()


def tensor_of(described: Any) -> TensorSpec:
    shape = described["shape"]
    sizes = None if shape is None else tuple(None if size is None or int(size) < 0 else int(size) for size in shape)
    return TensorSpec(str(described["name"]), str(described["dtype"]), sizes)


def make_views(engine: Engine, settings: Settings) -> List[str]:
    """Make the views again and return their names, each with the dataset.

    Raises WarehouseError, with the engine's own message, at the first that cannot be made.
    """
    made_by = "make deploy-full" if settings.is_local else f"make cloud-apply ENV={settings.selected}"
    log_columns = check_tables(engine, made_by)
    models, ai_platform = read_models(engine), place_of(engine.dataset, settings.log.ai_platform)
    for view in VIEWS:
        engine.query(f"make the view {view}", render_view(view, engine.dataset, models, log_columns, ai_platform))
    return [f"{engine.dataset}.{view}" for view in VIEWS]


def check_tables(engine: Engine, made_by: str) -> List[str]:
    """Return the columns of the request log. Raises WarehouseError with the command that makes missing tables."""
    columns = {table: engine.columns(table) for table in TABLES}
    missing = [table for table in TABLES if not columns[table]]
    if missing:
        raise WarehouseError(
            f"{engine.dataset}: has no table {', '.join(missing)}, which the views read.\n"
            f"Expected the tables of the request log. Run: {made_by}"
        )
    return columns["request_log"]


def place_of(dataset: str, table: str) -> str:
    """Return a table named dataset.table, in the project of the environment's own dataset."""
    project = dataset.rpartition(".")[0]
    return f"{project}.{table}" if project and table else table


def render_view(
    view: str, dataset: str, models: Sequence[Deployed], log_columns: Sequence[str] = (), ai_platform: str = ""
) -> str:
    """Return the statement that makes a view, in BigQuery's SQL: the same models and columns give the same text."""
    if view != "requests":
        return render(view, dataset)
    columns, labelled = columns_of(models)
    return render(
        view,
        dataset,
        columns=columns,
        labelled=labelled,
        own=OWN,
        log_columns=list(log_columns),
        ai_platform=checked_name(ai_platform) if ai_platform else "",
    )


def render(name: str, dataset: str, **context: Any) -> str:
    """Return what the template sql/NAME.sql.j2 makes; values are not rendered, but bound as parameters."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(FOLDER)),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the result is SQL, and only checked names are rendered
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template(f"{name}.sql.j2")
    return template.render(dataset=checked_name(dataset), unsure=UNSURE, **context).lstrip()


def checked_name(name: str) -> str:
    if not NAME_PATTERN.match(name):
        raise WarehouseError(f'"{name}" is no name of a data set or table. Expected project.dataset or dataset.')
    return name


def query_rows(engine: Engine, name: str, what: str, **parameters: int) -> List[Row]:
    """Run the query sql/NAME.sql.j2 and return its rows. Raises WarehouseError."""
    return engine.query(what, render(name, engine.dataset), parameters)


def latest_requests(engine: Engine, limit: int, days: int) -> List[Row]:
    """Return the last instances of the last days, the latest first, with the columns of the view `requests`."""
    return query_rows(engine, "latest_requests", "read the latest requests", days=days, limit=limit)


def daily_rows(engine: Engine, days: int) -> List[Row]:
    """Return the rows of the view `daily` of the last days, the latest first."""
    return query_rows(engine, "daily_rows", "read the daily summary", days=days)


def accuracy_rows(engine: Engine, days: int) -> List[Row]:
    """Return the rows of the view `accuracy` of the last days, the latest first."""
    return query_rows(engine, "accuracy_rows", "read the accuracy", days=days)


def scanned_by_view(engine: Engine, days: int) -> Dict[str, int]:
    """Return how many bytes reading the last days of each view scans now; none where nothing is charged."""
    scanned = {}
    for view, name in zip(VIEWS, ("last_days", "daily_rows", "accuracy_rows")):
        size = engine.scanned_bytes(render(name, engine.dataset), {"days": days})
        if size is not None:
            scanned[view] = size
    return scanned
