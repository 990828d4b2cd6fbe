"""What a deploy would have to do: the difference between what is here and what is deployed."""

import json
from itertools import accumulate
from typing import Dict, List, Optional

from pydantic import Field
from typing_extensions import Literal

from esteira.release.ancestry import Relation, relate
from esteira.release.changes import Change, compare_inputs, describe_change, lost_part
from esteira.release.history import known_release, read_pointer
from esteira.release.inputs import Inputs, readable_inputs
from esteira.release.manifest import Frozen, Part, Release
from esteira.release.places import lack
from esteira.release.store.interface import Store
from esteira.release.store.parallel import in_parallel
from esteira.settings import Settings
from esteira.source import Source

# Of each part's changes so many stand in a release's reason.
REASON_CHANGES = 3
# A reason goes into a substitution of Cloud Build among other facts, as JSON in ASCII. It may have 4,000 characters.
# https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
REASON_LENGTH = 1000


class Plan(Frozen):
    """What to deploy and why."""

    kind: Literal["none", "partial", "full"]
    reasons: List[str] = Field(description="Why everything must be deployed, whatever the parts say")
    changes: List[Change] = Field(description="The parts that differ")
    parts: Dict[str, str] = Field(description="The digest of each part here")
    commit: str = Field(description="The commit that is here; empty before the first one")
    dirty: bool = Field(description="Whether the source differs from the commit")
    parent: Optional[str] = Field(description="The release that is deployed; null if there is none")
    generation: int = Field(description="That of the pointer `current` when the plan was made")
    older: bool = Field(description="Whether the commit is an ancestor of the one that is deployed")
    base: str = Field("", description="The commit that is taken for what is deployed, where BASE= names one")

    @property
    def reason(self) -> str:
        """Why it is deployed, in a sentence: what a release keeps. Nothing changed where it is empty."""
        return cut_reason("; ".join([*self.reasons, *map(summarize, self.changes if self.parent or self.base else [])]))


def make_plan(settings: Settings, store: Store, source: Source, inputs: Dict[str, Inputs]) -> Plan:
    """Return the plan for a frozen source and its inputs, in the environment that the store is of.

    Raises StateError if the store cannot be read, or holds a release of another version.
    """
    pointer = read_pointer(store)
    current = known_release(store, pointer.release) if pointer.release else None
    relation = Relation("ancestor")
    if current:
        relation = relate(settings.root, settings.state, current.commit, source.commit)
    reasons = reasons_for_all(pointer.release, current, relation)
    changes = find_changes(store, current, inputs)
    parent, older = current.id if current else None, relation.kind == "descendant"
    return made_plan(reasons, changes, source, inputs, parent=parent, generation=pointer.generation, older=older)


def made_plan(
    reasons: List[str],
    changes: List[Change],
    source: Source,
    inputs: Dict[str, Inputs],
    *,
    parent: Optional[str] = None,
    generation: int = 0,
    older: bool = False,
    base: str = "",
) -> Plan:
    """Return the plan whose kind follows from its reasons and changes."""
    kinds = {change.kind for change in changes}
    return Plan(
        kind="full" if reasons or "full" in kinds else "partial" if kinds else "none",
        reasons=reasons,
        changes=changes,
        parts={name: part.digest for name, part in inputs.items()},
        commit=source.commit,
        dirty=source.is_dirty,
        parent=parent,
        generation=generation,
        older=older,
        base=base,
    )


def reasons_for_all(deployed: str, current: Optional[Release], relation: Relation) -> List[str]:
    """Return why everything must be deployed, without a look at the parts; mostly there is no such reason."""
    if not deployed:
        return ["nothing is deployed yet"]
    if current is None:
        return [f"release {deployed}, which is deployed, is lost from the store"]
    return unrelated(f"commit {current.commit[:7]}, which release {deployed} was made of,", relation)


def compared_plan(
    former: Source, relation: Relation, source: Source, inputs_then: Dict[str, Inputs], inputs: Dict[str, Inputs]
) -> Plan:
    """Return the plan if the source `former`, with its inputs, were what is deployed."""
    pairs = [(inputs_then[name], here) for name, here in inputs.items()]
    changes = [compare_inputs(then.digest, then, here) for then, here in pairs if then.digest != here.digest]
    reasons = unrelated(f"commit {former.commit[:7]}", relation)
    return made_plan(reasons, changes, source, inputs, base=former.commit, older=relation.kind == "descendant")


def unreadable_base(former: Source, why: str, source: Source, inputs: Dict[str, Inputs]) -> Plan:
    """Return the plan if a source, whose settings mean nothing to this version, were what is deployed."""
    reason = f"the settings of commit {former.commit[:7]} cannot be read: {why}"
    return made_plan([reason], [], source, inputs, base=former.commit)


def unrelated(made_of: str, relation: Relation) -> List[str]:
    """Return why what is deployed cannot be compared with what is here, as sentences; mostly it can."""
    if relation.kind == "unknown":
        return [f"{made_of} is unknown here, {relation.why}"]
    if relation.kind == "diverged":
        return [f"{made_of} is not in the history of what is here: another branch, or a forced push"]
    return []


def find_changes(store: Store, current: Optional[Release], inputs: Dict[str, Inputs]) -> List[Change]:
    """Return the parts that differ from the deployed ones, or that are gone from the store."""
    deployed = current.parts if current else {}
    found = in_parallel(lambda here: find_change(store, deployed.get(here.part), here), inputs.values())
    return [change for change in found if change is not None]


def find_change(store: Store, deployed: Optional[Part], here: Inputs) -> Optional[Change]:
    if deployed is None:
        return compare_inputs("", None, here)
    if deployed.digest != here.digest:
        return compare_inputs(deployed.digest, readable_inputs(store, deployed.digest), here)
    return lost_part(here) if lack(store, here.part, deployed) else None


def summarize(change: Change) -> str:
    lines = list(describe_change(change))
    more = len(lines) - REASON_CHANGES
    return f"{change.part}: {', '.join(lines[:REASON_CHANGES])}{f' and {more:,} more' if more > 0 else ''}"


def cut_reason(text: str) -> str:
    """Return the text, or as much of it as has REASON_LENGTH characters in JSON, with an ellipsis."""
    if json_length(text) <= REASON_LENGTH:
        return text
    lengths = accumulate(map(json_length, text))
    kept = sum(length <= REASON_LENGTH - json_length("…") for length in lengths)
    return f"{text[:kept]}…"


def json_length(text: str) -> int:
    return len(json.dumps(text)) - len('""')
