"""Promoting a release on Vertex AI, or going back to one: its model takes the traffic, its job the schedule.

First the traffic moves, then `current`, and what is then left to do can fail without a doubt about what serves.
"""

from typing import Callable, List, Tuple

from esteira.errors import EsteiraError, GoogleError
from esteira.google.api import Api
from esteira.google.open import open_api
from esteira.release.history import served_release
from esteira.release.manifest import JOB, Release
from esteira.release.store import Store
from esteira.settings import Settings
from esteira.vertex.endpoint import find_deployed, find_endpoint
from esteira.vertex.endpoint_log import settle_log, unlogged
from esteira.vertex.logged import complete_log, is_complete
from esteira.vertex.names import serving_id
from esteira.vertex.pushed import pushed_endpoint
from esteira.vertex.recorded import record_deployed
from esteira.vertex.schedule import apply_schedule
from esteira.vertex.traffic import promote_release as take_traffic
from esteira.vertex.traffic import remove_older, restore_release

# What is left to do: what is said if it fails, and what does it and returns what was done.
Rest = Tuple[str, Callable[[], List[str]]]


def promote_release(settings: Settings, store: Store, release: Release, make_current: Callable[[], None]) -> None:
    """Give the release's model all traffic, make it current, remove older ones, have the schedule run its job.

    At last its request log is completed, and proven. Each of it can be done again. Raises ServingError, with the
    traffic as it was, if the model does not answer; GoogleError if something failed once the traffic had moved, which
    says what holds from then on.
    """
    api = open_api(settings)
    take_traffic(settings, api, release)
    again = f"Run: make deploy ENV={settings.selected}"
    try:
        make_current()
    except GoogleError as error:
        raise GoogleError(
            f"{error}\nThe model of release {release.id} has the traffic already, but that it is current could not be "
            f"written. {again}"
        ) from None
    rest = [switch(settings, api, release), older(settings, api, store, release)]
    rest.append(schedule(settings, api, store, release))
    finish(release, [*rest, log(settings, api, store, release)], again)


def finish_promotion(settings: Settings, store: Store) -> None:
    """Do what is left to do for the release that is current, as after a deploy that promoted it and then failed."""
    api, release = open_api(settings), served_release(store, settings.selected)
    rest = [switch(settings, api, release), older(settings, api, store, release)]
    rest.append(schedule(settings, api, store, release))
    rest.append(log(settings, api, store, release, is_first=False))
    finish(release, rest, f"Run: make deploy ENV={settings.selected}")


def restore(settings: Settings, store: Store, release: Release) -> None:
    """Give the traffic back to a former release's model.

    Raises ServingError, with the traffic as it was, if the model does not answer.
    """
    restore_release(settings, open_api(settings), store, release)


def finish_rollback(settings: Settings, store: Store) -> None:
    """Have the endpoint log as it should, and the schedule run the job of the release that is current.

    GoogleError says that it serves all the same.
    """
    api, release = open_api(settings), served_release(store, settings.selected)
    again = f"Run: make rollback RELEASE={release.origin} ENV={settings.selected}"
    rest = [switch(settings, api, release, says=True), schedule(settings, api, store, release)]
    finish(release, [*rest, record(settings, api, store, release)], again)


def switch(settings: Settings, api: Api, release: Release, *, says: bool = False) -> Rest:
    """Set the endpoint's log, and say why nothing is logged where that is so, and nothing else `says` it."""

    def act() -> List[str]:
        by_pusher = settings.endpoint.by == "pusher"
        endpoint = pushed_endpoint(settings, api) if by_pusher else find_endpoint(settings, api, serving_id(settings))
        if endpoint is None:
            return []  # what is recorded of the release says so
        settle_log(settings, api, endpoint)
        deployed = find_deployed(endpoint, release) if says else None
        told = unlogged(settings, api, deployed) if deployed else ""
        return [f"request log: {told}"] if told else []

    return "the endpoint's request log could not be set", act


def older(settings: Settings, api: Api, store: Store, release: Release) -> Rest:
    def act() -> List[str]:
        return [f"undeployed {name}" for name in remove_older(settings, api, store, release)]

    return "older models could not be undeployed", act


def schedule(settings: Settings, api: Api, store: Store, release: Release) -> Rest:
    def act() -> List[str]:
        from esteira.steps import read_job

        job = read_job(store, f"releases/{release.origin}/{JOB}")
        done = apply_schedule(settings, api, release, job)
        return [done] if done else []

    return "the schedule could not be set", act


def log(settings: Settings, api: Api, store: Store, release: Release, *, is_first: bool = True) -> Rest:
    def act() -> List[str]:
        done = not is_first and is_complete(settings, api, store, release)
        return [] if done else complete_log(settings, api, store, release)

    return "its request log is not proven to work", act


def record(settings: Settings, api: Api, store: Store, release: Release) -> Rest:
    def act() -> List[str]:
        record_deployed(settings, api, store, release)
        return []

    return "the views of its request log could not be made", act


def finish(release: Release, rest: List[Rest], again: str) -> None:
    """Do what is left to do, each though another fails. Raises GoogleError that says that the release serves."""
    failures: List[str] = []
    for what, act in rest:
        try:
            for line in act():
                print(line)
        except EsteiraError as error:
            failures.append(f"{what}: {error}")
    if failures:
        raise GoogleError(
            f"release {release.id}: is promoted, and serves. But " + "\nAnd ".join(failures) + f"\n{again}"
        )
