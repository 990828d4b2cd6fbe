"""Promoting a release on Vertex AI: its model takes the traffic, and its schedule the place of the last one."""

from esteira.google.open import open_api
from esteira.jobs.bind import Job
from esteira.release.manifest import Release
from esteira.release.store import Store
from esteira.settings import Settings
from esteira.vertex.schedule import apply_schedule
from esteira.vertex.traffic import promote_release as take_traffic
from esteira.vertex.traffic import remove_older


def promote_release(settings: Settings, store: Store, release: Release, job: Job) -> None:
    """Give the release's model all traffic, remove older ones, and have the schedule run its job.

    Each of it can be done again. Raises ServingError, with the traffic as it was, if the model does not answer.
    """
    api = open_api(settings)
    take_traffic(settings, api, release)
    for name in remove_older(settings, api):
        print(f"undeployed {name}")
    done = apply_schedule(settings, api, release, job)
    if done:
        print(done)
