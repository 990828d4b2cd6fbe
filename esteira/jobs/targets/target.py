"""A bound job made the job of the environment and target that the settings choose."""

import copy

from esteira.jobs.targets.legacy import place_on_ai_platform
from esteira.jobs.targets.serving import place_serving
from esteira.jobs.targets.tasks import Job
from esteira.jobs.targets.training import place_training
from esteira.release.manifest import Release
from esteira.settings import Settings


def for_target(job: Job, settings: Settings, release: Release) -> Job:
    """Return a bound job with [cloud], [trainer] and [endpoint] worked in; on `local` the job as it is.

    The result follows from the arguments alone. Raises CompileError if the job lacks a task that a setting is
    about, or the target cannot do what the settings ask for.
    """
    if settings.is_local:
        return job
    placed = copy.deepcopy(job)
    if settings.cloud.target == "ai_platform":
        place_on_ai_platform(placed, settings, release)
    else:
        place_training(placed, settings, release)
        place_serving(placed, settings, release)
    if not settings.cloud.cache:
        forbid_cache(placed)
    return placed


def forbid_cache(job: Job) -> None:
    """Let every task of the job run, whatever earlier runs did."""
    for task in job["pipelineSpec"]["root"]["dag"]["tasks"].values():
        task["cachingOptions"] = {"enableCache": False}
