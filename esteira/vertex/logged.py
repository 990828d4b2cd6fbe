"""The proof that requests are logged: the endpoint is asked, and a row of the deployed model must come into the log."""

import json
import math
import time
from typing import List

from esteira.errors import WarehouseError
from esteira.google.api import Api
from esteira.google.operations import pauses
from esteira.monitoring.bigquery.engine import BigQuery
from esteira.monitoring.engine import Engine, Parameters
from esteira.monitoring.views import OWN, render
from esteira.release.manifest import Release
from esteira.release.store.interface import Store
from esteira.settings import Settings
from esteira.vertex.endpoint import REQUEST_LOG
from esteira.vertex.endpoint_log import unlogged
from esteira.vertex.links import log_link
from esteira.vertex.predict import ask
from esteira.vertex.recorded import Serving, find_serving, record_deployed

TEXT = f"{OWN} is this logged?"
LOOK_S = 15.0
# Rows that were logged a moment before the question are as good: clocks differ.
MARGIN_S = 5.0
# That no request of so many was logged, though each is with log.percent, must not happen by chance.
BY_CHANCE = 1e-4
MOST_ASKED = 100
# In the store: for which deployed model, and by which settings, all of this was done last.
DONE = "request-log.json"


def complete_log(settings: Settings, api: Api, store: Store, release: Release) -> List[str]:
    """Record what a release's deployed model is, make the views, prove that its requests are logged, and say so.

    Where they are not meant to be, that is said in place of a proof.
    Raises WarehouseError if no row lands within log.lands_s, with what to look at, or if the views cannot
    be made; GoogleError, ServingError or StateError if what is served cannot be told.
    """
    record_deployed(settings, api, store, release)
    serving = find_serving(settings, api, release)
    told = unlogged(settings, api, serving.deployed)
    if not told:
        told = prove_logged(settings, api, serving, settings.log.lands_s)
    store.write(DONE, done_text(settings, serving))
    return [f"request log: {told}"]


def is_complete(settings: Settings, api: Api, store: Store, release: Release) -> bool:
    """Return whether a former deploy has done all of it, with the same settings of the log."""
    stored = store.read(DONE)
    return stored is not None and stored.content == done_text(settings, find_serving(settings, api, release))


def done_text(settings: Settings, serving: Serving) -> bytes:
    log = settings.log.dict(exclude={"lands_s"})
    told = {"deployed_model_id": serving.deployed["id"], "log": log}
    return (json.dumps(told, sort_keys=True) + "\n").encode("utf-8")


def prove_logged(settings: Settings, api: Api, serving: Serving, lands_s: float) -> str:
    """Ask the deployed model as often as is needed, wait until a row of it is in the request log, and say so.

    Where so few requests are logged that there may be none by chance, that is said in place of an error.
    """
    engine, percent, asked_s = BigQuery(settings, api), settings.log.percent, time.monotonic()
    count = ask_often(settings, api, serving, times_to_ask(percent))
    table, named = f"{engine.dataset}.{REQUEST_LOG}", f"the deployed model {serving.deployed['id']}"
    if has_landed(engine, serving, asked_s, lands_s):
        return f"{table} has a row of {named}"
    chance = (1 - percent / 100) ** count
    if chance > BY_CHANCE:
        return (
            f"not proven. {table} has no row of {count} requests to {named}, but with log.percent = {percent} that "
            f"happens by chance in {chance:.1%} of all cases"
        )
    raise WarehouseError(lost_text(settings, table, serving, count, lands_s))


def times_to_ask(percent: int) -> int:
    """Return how many requests it takes until one is logged but for a chance of BY_CHANCE, MOST_ASKED at most."""
    if percent == 100:
        return 1
    return min(MOST_ASKED, math.ceil(math.log(BY_CHANCE) / math.log(1 - percent / 100)))


def ask_often(settings: Settings, api: Api, serving: Serving, times: int) -> int:
    """Ask until the deployed model has answered so often, and return how often it has; others may answer, too."""
    answered = 0
    for _ in range(2 * times + MOST_ASKED):
        if answered == times:
            break
        answer = ask(settings, api, serving.identity, [{"text": TEXT}])
        answered += answer.deployed_id == serving.deployed["id"]
    return answered


def has_landed(engine: Engine, serving: Serving, asked_s: float, lands_s: float) -> bool:
    """Return whether a row of the deployed model comes into the log within `lands_s` of the question."""
    sql, limit_s = render("logged", engine.dataset), asked_s + lands_s
    for pause_s in pauses(LOOK_S):
        since_s = math.ceil(time.monotonic() - asked_s + MARGIN_S)
        parameters: Parameters = {"deployed_model_id": str(serving.deployed["id"]), "seconds": since_s}
        if engine.query("look for a row in the request log", sql, parameters)[0]["logged"]:
            return True
        if time.monotonic() + pause_s > limit_s:
            return False
        time.sleep(pause_s)
    raise AssertionError("there is always another pause")


def lost_text(settings: Settings, table: str, serving: Serving, count: int, lands_s: float) -> str:
    """Return what is told where nothing is logged: what was asked, and where to look."""
    place, asked = settings.environment, "a request" if count == 1 else f"{count} requests"
    logs = log_link(
        settings,
        f'resource.type="aiplatform.googleapis.com/Endpoint"\nresource.labels.endpoint_id="{serving.identity}"',
    )
    return (
        f"{table}: has no row of the deployed model {serving.deployed['id']}, {lands_s:g} s after {asked} to it.\n"
        f"Look whether Vertex AI may write there, and the columns are right: make cloud-plan ENV={settings.selected}\n"
        f"See what is written: bq --location={place.region} head -n 10 {table.replace('.', ':', 1)}\n"
        f"See what the endpoint says: {logs}"
    )
