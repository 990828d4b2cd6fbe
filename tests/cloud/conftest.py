"""A fresh project on this machine, and settings of the environment that is to be made in it."""

import json
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Dict, Iterator, List, Mapping

import pytest
from rich.console import Console

from esteira.cloud.front import cloud_apply, cloud_destroy
from esteira.cloud.plan import make_plan
from esteira.google.api import Api
from esteira.local.cloud import storage
from esteira.local.cloud.administration import Administration
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, StandIn, served
from esteira.local.cloud.storage import Buckets
from esteira.settings import Environment, Settings

PLACE = {"project": "demo-project", "region": "europe-west1", "bucket": "demo-bucket", "repository": "images"}


@dataclass
class Scene:
    """A project's stand-in, and commands that are run against it."""

    stand_in: StandIn
    admin: Administration
    buckets: Buckets
    settings: Settings
    objects: Dict[str, List[str]] = field(default_factory=dict)
    pauses: List[float] = field(default_factory=list)

    @property
    def api(self) -> Api:
        place = self.settings.environment
        names = self.stand_in.variables()
        return Api(place.project, place.region, names, environment="dev", pause=self.pauses.append)

    def changes(self) -> List[str]:
        """Return the methods that were called and change something."""
        methods = [call.method for call in self.stand_in.calls]
        ends = ("create", "insert", "patch", "update", "setIamPolicy", "undelete", "delete")
        ends += ("batchEnable", "generateServiceIdentity")
        return [method for method in methods if method.rpartition(".")[2] in ends]

    def rows(self) -> List[str]:
        """Return the plan's rows that are not ok."""
        rows = make_plan(self.settings, self.api).rows
        return [f"{row.state} {row.kind} {row.name}" for row in rows if row.state != "ok"]

    def apply(self, yes: bool = True) -> str:
        return said(lambda console: cloud_apply(self.settings, yes, console, api=self.api, pause=self.pauses.append))

    def destroy(self, force: bool = False, yes: bool = True) -> str:
        return said(
            lambda console: cloud_destroy(self.settings, yes, force, console, api=self.api, pause=self.pauses.append)
        )

    def state(self) -> Any:
        """Return all that the project holds, without what Google counts."""
        held = {
            "services": sorted(self.admin.usage.enabled),
            "accounts": sorted((email, entry.get("description")) for email, entry in self.admin.accounts.kept.items()),
            "identities": {name: without(entry, "disabled") for name, entry in self.admin.identities.kept.items()},
            "repositories": {
                name: without(entry, "cleanupPolicies") for name, entry in self.admin.repositories.kept.items()
            },
            "datasets": {
                name: {**without(entry, "etag"), "access": sorted(entry["access"], key=str)}
                for name, entry in self.admin.warehouse.datasets.items()
            },
            "tables": {name: without(entry, "etag", "schema") for name, entry in self.admin.warehouse.tables.items()},
            "policies": {name: sorted(self.admin.policies.roles(name)) for name in sorted(self.admin.policies.kept)},
            "buckets": {
                name: without(entry, "etag", "metageneration", "updated", "timeCreated")
                for name, entry in self.buckets.resources.items()
            },
            "bucket policies": {
                name: sorted((entry["role"], sorted(entry["members"])) for entry in policy["bindings"])
                for name, policy in self.buckets.policies.items()
            },
        }
        return json.loads(json.dumps(held))

    def list_objects(self, call: Call) -> Any:
        if call.parameters["bucket"] not in self.buckets.resources:
            raise Refused(404, "The specified bucket does not exist.")
        names = self.objects.get(call.parameters["bucket"], [])
        return {"items": [{"name": name, "generation": "1"} for name in names]}

    def delete_object(self, call: Call) -> None:
        self.objects[call.parameters["bucket"]].remove(call.parameters["object"])


def without(entry: Dict[str, Any], *keys: str) -> Dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in keys}


def said(run: Callable[[Console], None]) -> str:
    """Return what a command prints."""
    out = StringIO()
    run(Console(file=out, soft_wrap=True, highlight=False, width=200))
    return out.getvalue()


@pytest.fixture
def make_scene(make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """Return a function that serves a fresh project for an environment with these keys."""
    stack = []

    def make(others: Mapping[str, Dict[str, str]] = MappingProxyType({}), **keys: str) -> Scene:
        places = {"dev": {**PLACE, **keys}, **{name: {**PLACE, **other} for name, other in others.items()}}
        environments = {name: Environment(**place) for name, place in places.items()}
        settings = make_settings().copy(update={"selected": "dev", "environments": environments})
        stand_in, admin, buckets = StandIn(), Administration(), Buckets()
        scene = Scene(stand_in, admin, buckets, settings)
        stand_in.add({**admin.handlers(), **storage.handlers(buckets)})
        stand_in.add({"storage.objects.list": scene.list_objects, "storage.objects.delete": scene.delete_object})
        for kind in ("schedules", "endpoints", "models"):
            stand_in.add({f"aiplatform.projects.locations.{kind}.list": lambda call: {}})
        block = served(stand_in)
        block.__enter__()
        stack.append(block)
        return scene

    yield make
    for block in stack:
        block.__exit__(None, None, None)
