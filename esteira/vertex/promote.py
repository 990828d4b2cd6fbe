"""Promoting a release on Vertex AI, or going back to one: its model takes the traffic, its job the schedule."""

from esteira.google.api import Api
from esteira.google.open import open_api
from esteira.jobs.bind import Job
from esteira.release.manifest import JOB, Release
from esteira.release.store import Store
from esteira.settings import Settings
from esteira.vertex.schedule import apply_schedule
from esteira.vertex.traffic import promote_release as take_traffic
from esteira.vertex.traffic import remove_older, restore_release


def promote_release(settings: Settings, store: Store, release: Release, job: Job) -> None:
    """Give the release's model all traffic, remove older ones, and have the schedule run its job.

    Each of it can be done again. Raises ServingError, with the traffic as it was, if the model does not answer.
    """
    api = open_api(settings)
    take_traffic(settings, api, release)
    for name in remove_older(settings, api):
        print(f"undeployed {name}")
    schedule(settings, api, release, job)


def restore(settings: Settings, store: Store, release: Release) -> None:
    """Give the traffic back to a former release's model, and have the schedule run its job.

    Raises ServingError, with the traffic as it was, if the model does not answer.
    """
    from esteira.steps import read_job

    api = open_api(settings)
    restore_release(settings, api, store, release)
    schedule(settings, api, release, read_job(store, f"releases/{release.origin}/{JOB}"))


def schedule(settings: Settings, api: Api, release: Release, job: Job) -> None:
    done = apply_schedule(settings, api, release, job)
    if done:
        print(done)
