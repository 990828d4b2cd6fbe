"""Runs that builds have left: Cloud Build ends a build that takes too long without a word to its steps."""

from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.settings import Settings
from esteira.vertex.job import run_labels
from esteira.vertex.runs import list_runs
from esteira.vertex.watch import Say, ask_to_cancel

# What stands in place of a build's id where somebody typed the step.
BY_HAND = "by-hand-"


def end_left_runs(api: Api, settings: Settings, build: str, say: Say) -> None:
    """Ask for the end of each unfinished run of the environment that another build began.

    To be called by a build that holds the environment. So the other one is over, or has lost it, and what its run
    comes to is promoted by nobody; the account of builds may not ask Cloud Build which of the two. Runs by hand and
    those of a schedule go on, and so does what cannot be ended, which is told.
    """
    ours = run_labels(settings, "", build)["build"]
    try:
        for run in list_runs(api, settings, unfinished=True):
            if run.build and run.build != ours and not run.build.startswith(BY_HAND):
                ask_to_cancel(api, settings, run.run)
                say(f"run {run.run}: cancelled, as its build {run.build} has left it: {run.link}")
    except GoogleError as error:
        say(f"{error}\nRuns that former builds have left may go on.")
