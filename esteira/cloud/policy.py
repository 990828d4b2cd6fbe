"""IAM policies: read, changed and written with the etag that was read, so that nobody's change is lost.

https://cloud.google.com/iam/docs/allow-policies#etag
"""

import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Sequence, Tuple

from esteira.cloud.grant import Grant, Scope, give_command, short
from esteira.cloud.part import Part
from esteira.cloud.row import Row
from esteira.errors import GoogleError
from esteira.google.api import Api, Json, Pause
from esteira.google.refusals import ChangedError, ExistsError, NotFoundError

ATTEMPTS = 8
# The newest form of a policy: the only one that tells of conditions, so that they are written back.
VERSION = 3
Key = Tuple[str, str]


@dataclass(frozen=True)
class Door:
    """Where a policy is read and written: service, (method, path) of each, and its parameters for reading."""

    service: str
    read: Tuple[str, str]
    write: Tuple[str, str]
    query: Optional[Dict[str, Any]] = None
    body: Optional[Json] = None
    # Whether the policy to write stands under "policy", or is the body itself.
    wrapped: bool = True


@dataclass(frozen=True)
class Ours:
    """Whose roles we may take away: the members that we have made, by how their names begin."""

    members: FrozenSet[str]
    beginnings: Tuple[str, ...] = ()

    def has(self, member: str) -> bool:
        """Return whether a member is ours, or is one of ours that has been removed since."""
        # https://cloud.google.com/iam/docs/allow-policies#handle-deleted-principals
        named = member[len("deleted:") :].partition("?uid=")[0] if member.startswith("deleted:") else member
        return named in self.members or any(named.startswith(beginning) for beginning in self.beginnings)


class Policy(Part):
    """The roles on one thing: `grants` are wanted, `kept` are those of other environments that use it, too.

    `theirs` is whether the thing is not ours to make, so that it may not be there.
    """

    def __init__(
        self,
        door: Door,
        scope: Scope,
        target: str,
        grants: Sequence[Grant],
        kept: FrozenSet[Key],
        ours: Ours,
        location: str,
        *,
        theirs: bool = False,
    ) -> None:
        self.service = door.service
        self.door = door
        self.scope = scope
        self.target = target
        self.grants = grants
        self._kept = kept
        self._ours = ours
        self._location = location
        self._theirs = theirs

    @property
    def what(self) -> str:
        return f"{self.scope} {self.target}"

    def read(self, api: Api) -> Json:
        method, path = self.door.read
        what = f"read who may use {self.what}"
        return api.call(what, self.service, method, path, query=self.door.query, body=self.door.body, repeat=True)

    def write(self, api: Api, policy: Json) -> None:
        method, path = self.door.write
        body = {"policy": policy} if self.door.wrapped else policy
        api.call(f"change who may use {self.what}", self.service, method, path, body=body, repeat=True)

    def look(self, api: Api) -> List[Row]:
        try:
            policy = self.read(api)
        except NotFoundError:
            return self.absent()
        there = members(policy)
        rows = [self.row(grant, api.project, grant.key in there) for grant in self.grants]
        extra = [key for key in there if self.is_superfluous(key)]
        return rows + [Row("superfluous", "role", self.name_of(key)) for key in extra]

    def absent(self) -> List[Row]:
        remedy = f"The {self.what} has to be there first" if self._theirs else ""
        return [Row("missing", "role", grant.name, why=grant.why, remedy=remedy) for grant in self.grants]

    def row(self, grant: Grant, project: str, there: bool) -> Row:
        if there:
            return Row("ok", "role", grant.name, why=grant.why)
        remedy = "" if grant.ours else self.left_to(grant, project)
        return Row("missing", "role", grant.name, why=grant.why, remedy=remedy)

    def left_to(self, grant: Grant, project: str) -> str:
        """Return what a person does to give a role that is not ours to give."""
        return f"That account is named by the settings. Run: {give_command(grant, project, self._location)}"

    def name_of(self, key: Key) -> str:
        return f"{short(key[0])}: {key[1]} on {self.scope} {short(self.target)}"

    def is_superfluous(self, key: Key) -> bool:
        wanted = {grant.key for grant in self.grants} | self._kept
        return self._ours.has(key[0]) and key not in wanted

    def make(self, api: Api, pause: Pause = time.sleep) -> None:
        wanted = [grant.key for grant in self.grants if grant.ours]
        try:
            self.change(api, lambda policy: changed(policy, wanted, self.is_superfluous), pause)
        except NotFoundError:
            if not self._theirs:
                raise

    def change(self, api: Api, edit: Callable[[Json], Optional[Json]], pause: Pause) -> None:
        """Write what `edit` makes of the policy, None if that is nothing; again if somebody else was faster."""
        for attempt in range(ATTEMPTS):
            policy = edit(self.read(api))
            if policy is None:
                return
            try:
                return self.write(api, policy)
            except (ChangedError, ExistsError):
                pause(0.2 * 2**attempt)
        raise GoogleError(f"Google Cloud: others keep changing who may use {self.what}. Run the command again.")

    def ours_there(self, api: Api) -> List[Key]:
        """Return the roles of our accounts that no other environment needs."""
        try:
            there = members(self.read(api))
        except NotFoundError:
            return []
        return [key for key in there if self._ours.has(key[0]) and key not in self._kept]

    def names_to_remove(self, api: Api) -> List[str]:
        return [f"role {self.name_of(key)}" for key in self.ours_there(api)]

    def remove(self, api: Api, pause: Pause = time.sleep) -> None:
        is_ours = lambda key: self._ours.has(key[0]) and key not in self._kept  # noqa: E731
        try:
            self.change(api, lambda policy: changed(policy, [], is_ours), pause)
        except NotFoundError:
            return


def members(policy: Json) -> List[Key]:
    """Return (member, role) of a policy; those with a condition are somebody else's business."""
    bindings = [binding for binding in policy.get("bindings", []) if "condition" not in binding]
    return [(member, binding["role"]) for binding in bindings for member in binding.get("members", [])]


def changed(policy: Json, wanted: Sequence[Key], unwanted: Callable[[Key], bool]) -> Optional[Json]:
    """Return a policy with `wanted` and without what is `unwanted`; None if it is so already."""
    there = members(policy)
    missing = [key for key in wanted if key not in there]
    extra = {key for key in there if unwanted(key)}
    if not missing and not extra:
        return None
    bindings: List[Dict[str, Any]] = []
    for binding in policy.get("bindings", []):
        if "condition" not in binding:
            left = [member for member in binding.get("members", []) if (member, binding["role"]) not in extra]
            binding = {**binding, "members": left}
        if binding.get("members"):
            bindings.append(binding)
    for member, role in missing:
        same = [binding for binding in bindings if binding["role"] == role and "condition" not in binding]
        if same:
            same[0]["members"] = [*same[0]["members"], member]
        else:
            bindings.append({"role": role, "members": [member]})
    return {**policy, "bindings": bindings, "version": policy.get("version") or 1}
