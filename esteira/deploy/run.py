"""A deploy: the plan is made, the environment held, and the generated build run for the source that is here."""

import json
import os
from typing import Callable, Dict, Mapping, Optional

from esteira.builds.render import render_build
from esteira.data.user_csv import find_csv
from esteira.deploy.decide import TASKS, Wanted, decide
from esteira.deploy.hold import held
from esteira.deploy.planned import planned
from esteira.deploy.record import recorded
from esteira.errors import BuildError
from esteira.files import write_text
from esteira.local.builds.result import BuildResult
from esteira.local.builds.run import run_build
from esteira.local.builds.support import LOCAL_BUILDER, OWN_MODE
from esteira.progress import Progress
from esteira.release.history import served_release
from esteira.release.lease import Lease
from esteira.release.manifest import Release
from esteira.release.order import Order
from esteira.release.store import open_store
from esteira.settings import Settings
from esteira.source import Source


class StepsOnLease(Progress):
    """Progress of a build that others can see, too, while they wait for the environment."""

    def __init__(self, lease: Lease) -> None:
        super().__init__([])
        self._lease = lease

    def started(self, name: str) -> None:
        super().started(name)
        self._lease.doing(f"step {name}")


def deploy_here(
    settings: Settings, wanted: Wanted, *, overrides: Mapping[str, str], force: bool, say: Callable[[str], None]
) -> Optional[Release]:
    """Plan, run the build that is needed, and return the release that is served then; None if none was needed.

    `overrides` are the settings given on the command line, as "section.key"; `say` is told whom is
    waited for. Raises PlanError if the plan forbids it, LeaseError if another deploy holds the
    environment, BuildError if a step failed.
    """
    store = open_store(settings)
    target = f"make {TASKS[wanted]}"
    with held(settings, store, target, say) as lease, recorded(settings, target, os.getpid()), planned(
        settings, store
    ) as work:
        kind = decide(work.plan, wanted, force=force)
        if kind is None:
            return None
        work.lay(store)
        order = work.order(kind, asked_by=f"asked for: {target}{' FORCE=1' * force}", force=force, lease=lease.token)
        check_build(run_here(settings, order, work.source, overrides, lease))
        return served_release(store, settings.selected)


def run_here(
    settings: Settings, order: Order, source: Source, overrides: Mapping[str, str], lease: Lease
) -> BuildResult:
    """Render the build of the order's kind and run it on this machine."""
    # Rendered for each deploy apart from the committed file, which a setting given for one deploy must not change.
    build_file = settings.state / "cloudbuild" / f"{order.kind}.yaml"
    write_text(build_file, render_build(f"{order.kind}.yaml.j2", settings))
    substitutions = substitutions_here(settings, order, overrides)
    with StepsOnLease(lease) as report:
        return run_build(build_file, settings=settings, source=source, substitutions=substitutions, report=report)


def substitutions_here(settings: Settings, order: Order, overrides: Mapping[str, str]) -> Dict[str, str]:
    """Return what the generated file leaves open.

    A step's home is the user's, with caches and credentials, and the source stays the user's alone.
    """
    csv = find_csv(settings)
    given = {**overrides, "data.file": str(csv)} if csv else dict(overrides)
    return {
        "_BASE": LOCAL_BUILDER,
        "_BUILDER": LOCAL_BUILDER,
        "_DEPLOY": order.lease,
        "_FOLLOWS": order.parent or "none",
        "_ENV": settings.selected,
        "_HOME": os.path.expanduser("~"),
        "_MODE": OWN_MODE,
        "_SETTINGS": json.dumps(given, sort_keys=True) if given else "",
        "_PLAN": order.json(),
    }


def check_build(result: BuildResult) -> None:
    """Raise BuildError, or KeyboardInterrupt after Ctrl-C, unless the build succeeded.

    The error leaves with the exit code of the step that failed, so that a model that is not
    blessed can be told from a data set that cannot be read.
    """
    if result.state == "cancelled":
        raise KeyboardInterrupt
    if not result.succeeded:
        error = BuildError(
            f"{result.explain()}\n"
            "Nothing was promoted: what was served before still is. "
            "Mend it and run: make deploy    Finished tasks are not run again."
        )
        error.exit_code = next((step.status for step in result.steps if step.status), BuildError.exit_code)
        raise error
