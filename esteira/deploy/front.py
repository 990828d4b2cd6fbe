"""What a person types: a deploy, a rollback, a collection, with what each says.

Each imports what it alone needs: a deploy to Google Cloud is submitted sooner than all of it is imported.
"""

import os
from functools import partial
from typing import ContextManager, Mapping, Optional

from rich.console import Console

from esteira.clock import now
from esteira.data.user_csv import find_csv
from esteira.deploy.decide import Wanted
from esteira.deploy.hold import held
from esteira.deploy.record import recorded
from esteira.deploy.status import COLLECTION, ROLLBACK, TRAFFIC
from esteira.release.holder import whoami
from esteira.release.manifest import Release
from esteira.release.store import Store, open_store
from esteira.settings import Settings


def deploy(
    settings: Settings, wanted: Wanted, overrides: Mapping[str, str], force: bool, wait: bool, console: Console
) -> None:
    """Deploy what is here and say what came of it; without `wait` leave it to a process of its own.

    Raises PlanError if the plan forbids it, LeaseError if another deploy holds the
    environment, BuildError, with the failed step's exit code, if it failed.
    """
    find_csv(settings)  # before anything is written
    if not settings.is_local:
        from esteira.deploy.remote_front import deploy_remotely

        deploy_remotely(settings, wanted, overrides, force, wait, console)
    else:
        from esteira.deploy.local_front import deploy_locally

        deploy_locally(settings, wanted, overrides, force, wait, console)


def roll_back(settings: Settings, target: Optional[str], console: Console) -> None:
    """Serve a former release again: the previous one, or that whose id begins with `target`.

    Raises StateError if there is none or parts of it are gone, ServingError if its model fails the smoke test.
    """
    from esteira.deploy.summary import print_summary
    from esteira.release.rollback import rollback

    store = open_store(settings)
    with held(settings, store, ROLLBACK, console.print), kept_rollback(settings, store):
        serve = None if settings.is_local else partial(restore_remotely, settings, store)
        release = rollback(settings, store, target, by=whoami(), at=now(), serve=serve)
        if not settings.is_local:
            from esteira.vertex.promote import finish_rollback

            finish_rollback(settings, store)
    if release is None:
        console.print("Nothing to roll back: that release is served already.")
    else:
        print_summary(settings, release, console)


def kept_rollback(settings: Settings, store: Store) -> ContextManager[None]:
    """Keep what comes of a rollback: on this machine or, of an environment in the cloud, where anyone can see it."""
    if settings.is_local:
        return recorded(settings, ROLLBACK, os.getpid())
    from esteira.deploy.rollback_record import recorded_rollback

    return recorded_rollback(store, ROLLBACK)


def restore_remotely(settings: Settings, store: Store, release: Release) -> None:
    """Give the traffic of the environment's endpoint back to a release's model."""
    from esteira.vertex.promote import restore

    restore(settings, store, release)


def collect_garbage(settings: Settings, keep: int, yes: bool, console: Console) -> None:
    """Show what no kept release needs, and remove it once a person, or YES=1, agrees."""
    from esteira.ask_person import agrees
    from esteira.release.collect import collect, plan_collection
    from esteira.release.collect_view import collection_table

    store = open_store(settings)
    collection = plan_collection(settings, store, keep)
    console.print(collection_table(collection))
    if not collection.removals:
        return
    if not yes and not agrees(console, "Remove this? [y/N] "):
        console.print(f"Nothing was removed. To remove it: make gc KEEP={keep} YES=1")
        return
    with held(settings, store, COLLECTION, console.print):
        collect(settings, store, collection)
    console.print("Removed.")


def split_traffic(settings: Settings, release: str, percent: str, console: Console) -> None:
    """Give a former release a share of the traffic, unless neither is given, and say how it is split then."""
    if settings.is_local:
        from esteira.serving.traffic import change_traffic
    else:
        from esteira.vertex.split import change_traffic

    if not release and not percent:
        console.print(change_traffic(settings))
        return
    with held(settings, open_store(settings), TRAFFIC, console.print):
        console.print(change_traffic(settings, release, percent))
