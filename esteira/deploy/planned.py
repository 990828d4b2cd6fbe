"""The plan of a deploy, with the frozen source that it was made of."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Dict, Iterator

from esteira.clock import now
from esteira.data.user_csv import find_csv
from esteira.deploy.decide import Kind
from esteira.images.origin import repository_url
from esteira.release.digest import digest_bytes
from esteira.release.holder import whoami
from esteira.release.inputs import Inputs, inputs_here, lay_inputs
from esteira.release.order import Order, patch_name
from esteira.release.partition import CSV, LEFT_OUT, PATTERNS
from esteira.release.plan import Plan, make_plan
from esteira.release.store import Store, open_store
from esteira.release.store.parallel import at_once
from esteira.settings import Settings
from esteira.source import Source, frozen_source
from esteira.source.patch import source_patch


@dataclass(frozen=True)
class Planned:
    """A plan, and the source that stays as it was when the plan was made."""

    plan: Plan
    source: Source
    inputs: Dict[str, Inputs]

    @cached_property
    def patch(self) -> bytes:
        """What makes the source of its commit, of the files that parts are made of; empty if nothing differs."""
        return source_patch(self.source, PATTERNS, LEFT_OUT)

    def lay(self, store: Store) -> None:
        """Keep what the parts are made of, so that a release of it can be compared and made again."""
        at_once(lambda: lay_inputs(store, self.inputs), lambda: lay_patch(store, self.patch))

    def order(self, kind: Kind, *, asked_by: str, force: bool, lease: str) -> Order:
        """Return what the steps of a build of this kind are told; `asked_by` is its reason if nothing differs."""
        plan = self.plan
        return Order(
            kind=kind,
            reason=plan.reason or asked_by,
            by=whoami(),
            at=now(),
            parent=plan.parent,
            generation=plan.generation,
            commit=plan.commit,
            dirty=plan.dirty,
            url=repository_url(self.source.root),
            parts=plan.parts,
            csv=self.inputs["data"].values.get(CSV, ""),
            patch=digest_bytes(self.patch) if self.patch else "",
            force=force,
            lease=lease,
        )


@contextmanager
def planned(settings: Settings, store: Store) -> Iterator[Planned]:
    """Yield the plan for what is here. Raises SourceError, DataError or StateError if there can be none."""
    csv = find_csv(settings)
    with frozen_source(settings.root, settings.state, str(csv or "")) as source:
        inputs = inputs_here(settings, source)
        yield Planned(make_plan(settings, store, source, inputs), source, inputs)


def lay_patch(store: Store, patch: bytes) -> None:
    """Keep what differs from the commit until the release step puts it beside the manifest."""
    name = patch_name(digest_bytes(patch))
    if patch and store.read(name) is None:
        store.write(name, patch)


def plan_here(settings: Settings) -> Plan:
    """Return the plan for what is here, against what is deployed."""
    with planned(settings, open_store(settings)) as work:
        return work.plan
