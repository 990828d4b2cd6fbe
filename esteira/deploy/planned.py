"""The plan of a deploy, with the frozen source that it was made of."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Dict, Iterator

from esteira.clock import now
from esteira.data.user_csv import find_csv
from esteira.deploy.decide import Kind
from esteira.release.digest import digest_bytes
from esteira.release.holder import whoami
from esteira.release.inputs import Inputs, inputs_here
from esteira.release.order import Order
from esteira.release.partition import CSV, PATTERNS
from esteira.release.plan import Plan, make_plan
from esteira.release.store import Store, open_store
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
        return source_patch(self.source, PATTERNS)

    def order(self, kind: Kind, *, force: bool = False, lease: str = "") -> Order:
        """Return what the steps of a build of this kind are told."""
        plan = self.plan
        return Order(
            kind=kind,
            reason=plan.reason,
            by=whoami(),
            at=now(),
            parent=plan.parent,
            generation=plan.generation,
            commit=plan.commit,
            dirty=plan.dirty,
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


def plan_here(settings: Settings) -> Plan:
    """Return the plan for what is here."""
    with planned(settings, open_store(settings)) as work:
        return work.plan
