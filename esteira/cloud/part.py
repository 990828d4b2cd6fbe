"""The common form of what must exist in a project: looked at, made, removed."""

import time
from typing import Any, Dict, List, NamedTuple, Optional

from esteira.cloud.row import Row
from esteira.google.api import Api, Json, Pause
from esteira.google.refusals import ExistsError, NotFoundError

OPERATION_S = 300.0


class Difference(NamedTuple):
    """A field that is not as it should be; `fixed` is what to do where Google does not let it be changed."""

    field: str
    found: Any
    wanted: Any
    fixed: str = ""

    def __str__(self) -> str:
        return f"{self.field}: is {shown(self.found)}, wanted {shown(self.wanted)}"


class Part:
    """One or several things of a kind. `service` is the API that must be enabled to look at them."""

    service = ""

    def look(self, api: Api) -> List[Row]:
        """Return how it stands."""
        raise NotImplementedError

    def absent(self) -> List[Row]:
        """Return how it stands where its API is not enabled, so that it cannot be there."""
        return []

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        """Read it, and make or change it where it is not as it should be."""

    def names_to_remove(self, api: Api) -> List[str]:
        """Return what `remove` would remove: nothing that we have not made."""
        raise NotImplementedError

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        """Remove it, if we made it and it is there."""
        raise NotImplementedError

    def contents(self, api: Api) -> str:
        """Return what would be lost with it, in words; "" if nothing would."""
        return ""


class Resource(Part):
    """One thing that Google keeps under a name.

    What stands under its name and is not ours is used as it is: it is checked, never changed or removed.
    """

    kind = ""
    name = ""
    why = ""

    def read(self, api: Api) -> Optional[Json]:
        """Return what is there, None if nothing is."""
        raise NotImplementedError

    def differences(self, found: Json) -> List[Difference]:
        raise NotImplementedError

    def is_ours(self, found: Json) -> bool:
        raise NotImplementedError

    def create(self, api: Api, pause: Pause) -> None:
        raise NotImplementedError

    def update(self, api: Api, found: Json) -> None:
        raise NotImplementedError

    def delete(self, api: Api, pause: Pause) -> None:
        raise NotImplementedError

    def row(self, found: Optional[Json]) -> Row:
        if found is None:
            return Row("missing", self.kind, self.name, why=self.why)
        differences = self.differences(found)
        fixed = [difference for difference in differences if difference.fixed]
        said = "; ".join(str(difference) for difference in differences)
        if fixed:
            return Row("different", self.kind, self.name, "; ".join(map(str, fixed)), self.why, fixed[0].fixed)
        if not self.is_ours(found):
            left = f"not made by Esteira, so left as it is{': ' + said if said else ''}"
            return Row("ok", self.kind, self.name, left, self.why)
        return Row("different" if differences else "ok", self.kind, self.name, said, self.why)

    def look(self, api: Api) -> List[Row]:
        return [self.row(self.read(api))]

    def absent(self) -> List[Row]:
        return [self.row(None)]

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        found = self.read(api)
        if found is None:
            try:
                self.create(api, pause)
            except ExistsError:
                # Somebody else has made it just now, or an operation that was interrupted goes on.
                found = self.read(api)
                if found is None:
                    raise
        if found is not None and self.row(found).state == "different" and not self.row(found).remedy:
            self.update(api, found)

    def names_to_remove(self, api: Api) -> List[str]:
        found = self.read(api)
        return [f"{self.kind} {self.name}"] if found is not None and self.is_ours(found) else []

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        found = self.read(api)
        if found is not None and self.is_ours(found):
            self.delete(api, pause)


def read_or_none(api: Api, what: str, service: str, path: str) -> Optional[Json]:
    """Return what stands at a path, None if nothing does."""
    try:
        return api.call(what, service, "GET", path)
    except NotFoundError:
        return None


def gone(api: Api, what: str, service: str, path: str, query: Optional[Dict[str, Any]] = None) -> Json:
    """Delete what stands at a path; {} if it is gone already."""
    try:
        return api.call(what, service, "DELETE", path, query=query)
    except NotFoundError:
        return {}


def compare(found: Json, wanted: Json) -> List[Difference]:
    """Return the fields of `wanted`, as a.b, that `found` has otherwise; labels only where they are absent."""
    differences: List[Difference] = []
    for field, value in wanted.items():
        if field == "labels":
            absent = {key: label for key, label in value.items() if key not in (found.get("labels") or {})}
            differences += [Difference(f"labels.{key}", None, label) for key, label in absent.items()]
        elif isinstance(value, dict):
            below = compare(found.get(field) or {}, value)
            differences += [entry._replace(field=f"{field}.{entry.field}") for entry in below]
        elif found.get(field) != value:
            differences.append(Difference(field, found.get(field), value))
    return differences


def shown(value: Any) -> str:
    """Return a value as people read it."""
    if value is None or value == "" or value == []:
        return "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " and ".join(shown(entry) for entry in value)
    if isinstance(value, dict):
        return " ".join(f"{key} {shown(entry)}" for key, entry in value.items())
    return str(value)
