"""What a person sees of a deploy on this machine."""

from typing import Mapping

from rich.console import Console

from esteira.deploy.background import deploy_in_background
from esteira.deploy.decide import TASKS, Wanted, decide
from esteira.deploy.planned import planned
from esteira.deploy.record import begin_record
from esteira.deploy.run import deploy_here
from esteira.deploy.summary import print_summary
from esteira.release.store import open_store
from esteira.settings import Settings

NOTHING = "Nothing to deploy: what is here is what is served. To run it again: make deploy FORCE=1"


def deploy_locally(
    settings: Settings, wanted: Wanted, overrides: Mapping[str, str], force: bool, wait: bool, console: Console
) -> None:
    """Deploy what is here and say what came of it; without `wait` leave it to a process of its own.

    Raises as `deploy` does.
    """
    if wait:
        release = deploy_here(settings, wanted, overrides=overrides, force=force, say=console.print)
        if release:
            print_summary(settings, release, console)
        else:
            console.print(NOTHING)
        return
    with planned(settings, open_store(settings)) as work:
        kind = decide(work.plan, wanted, force=force)
    if kind:
        begun = deploy_in_background(settings, TASKS[wanted], overrides)
        begin_record(settings, f"make {TASKS[wanted]}", begun.pid)
        said = f"A {kind} deploy has begun. Its log: {begun.log}\nTo see how it goes: make status"
        console.print(said, markup=False)
    else:
        console.print(NOTHING)
