"""A deploy to Google Cloud: checked, planned and submitted here, carried out by Cloud Build."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Mapping, Optional

from esteira.builds.archive import write_archive
from esteira.builds.render import render_build
from esteira.builds.submit import OVER, Submitted, check_values, get_build, submit_build
from esteira.cache import scratch_in
from esteira.deploy.csv import PLACE, lay_csv, travels
from esteira.deploy.decide import TASKS, Wanted, decide
from esteira.deploy.hold import held
from esteira.deploy.planned import Planned, planned
from esteira.deploy.submission import Submission, keep_submission, read_submission
from esteira.files import write_text
from esteira.google.api import Api
from esteira.google.refusals import NotFoundError
from esteira.images.bases import base_reference
from esteira.images.spec import base_of, read_spec
from esteira.release.history import current_release
from esteira.release.lease import Lease
from esteira.release.order import Order
from esteira.release.store import Store
from esteira.release.store.parallel import at_once
from esteira.settings import Settings

# The image that steps run in, as docker/ names it.
BUILDER = "builder"
ARCHIVE = "source.tgz"
# Where what is submitted lies until it is, below the state.
SUBMISSIONS = "submissions"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Remote:
    """Where a deploy goes to: the environment's settings, its APIs and its store."""

    settings: Settings
    api: Api
    store: Store
    say: Say


def submit_deploy(remote: Remote, wanted: Wanted, *, overrides: Mapping[str, str], force: bool) -> Optional[Submission]:
    """Plan, submit the build that is needed, and return what was submitted; None if nothing is to be deployed.

    Raises GoogleError, before anything is changed, if something is missing in the project; PlanError if the
    plan forbids the deploy, LeaseError if another deploy holds the environment.
    """
    from esteira.cloud.check import check_environment
    from esteira.images.builder import builder_for
    from esteira.jobs.targets import check_deployable
    from esteira.vertex.names import serving_id

    settings, store, target = remote.settings, remote.store, f"make {TASKS[wanted]}"
    check_deployable(settings)
    serving_id(settings)  # names that no endpoint can bear are told before anything is changed
    check_environment(settings, remote.api)
    with held(settings, store, target, remote.say) as lease, planned(settings, store) as work:
        kind = decide(work.plan, wanted, force=force)
        if kind is None:
            finish_last(remote)
            return None
        order = work.order(kind, asked_by=f"asked for: {target}{' FORCE=1' * force}", force=force, lease=lease.token)
        with scratch_in(settings.state, SUBMISSIONS) as folder:
            _, _, builder = at_once(
                lambda: work.lay(store),
                lambda: write_archive(work.source, folder / ARCHIVE),
                lambda: builder_for(settings, store, work.source, os.environ, remote.say),
            )
            values = substitutions(settings, order, overrides, work, builder)
            build = hand_in(remote, work, order, folder, values)
        return leave_to_build(remote, lease, order, build, target)


def leave_to_build(remote: Remote, lease: Lease, order: Order, build: Submitted, target: str) -> Submission:
    """Keep what was submitted, then hand the lease over to it.

    In this order, so that `make status`, `make cancel` and `make logs` mean this build whatever happens next; a build
    that is there gets the lease though it could not be kept, as it goes on.
    """
    try:
        return keep_submission(remote.store, order, build, target)
    finally:
        lease.hand_over(build.id, remote.settings.deploy.start_s)


def finish_last(remote: Remote) -> None:
    """Do what the last build has left to do, if it failed once its release was promoted. Raises GoogleError."""
    from esteira.vertex.promote import finish_promotion

    submission, served = read_submission(remote.store), current_release(remote.store)
    if submission is None or served is None or served.build != submission.build:
        return
    try:
        build = get_build(remote.settings, remote.api, submission.build)
    except NotFoundError:
        return
    if build["status"] in OVER and build["status"] != "SUCCESS":
        finish_promotion(remote.settings, remote.store)


def hand_in(remote: Remote, work: Planned, order: Order, folder: Path, values: Mapping[str, str]) -> Submitted:
    """Render the build of the order's kind and submit it with the source, which lies in the folder."""
    settings, build_file = remote.settings, folder / f"{order.kind}.yaml"
    check_values(values)  # before anything is uploaded
    write_text(build_file, render_build(f"{order.kind}.yaml.j2", settings))
    if travels(settings, work.source):
        lay_csv(settings, remote.store, order)
    return submit_build(settings, remote.api, build_file, folder / ARCHIVE, values, os.environ)


def substitutions(
    settings: Settings, order: Order, overrides: Mapping[str, str], work: Planned, builder: str
) -> Dict[str, str]:
    """Return what the generated file leaves open."""
    given = dict(overrides)
    if travels(settings, work.source):
        given["data.file"] = PLACE
    root = settings.root
    base = base_of(root, BUILDER, read_spec(root, BUILDER))
    return {
        "_BASE": str(base_reference(settings, base)),
        "_BUILDER": builder,
        "_DEPLOY": order.lease,
        "_FOLLOWS": order.parent or "none",
        "_ENV": settings.selected,
        "_SETTINGS": json.dumps(given, sort_keys=True) if given else "",
        "_PLAN": order.json(),
    }
