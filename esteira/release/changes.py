"""How a part differs from the one that is deployed, down to files and values."""

import json
from typing import Any, Callable, Dict, Iterator, List, Optional

from pydantic import Field
from typing_extensions import Literal

from esteira.release.inputs import Inputs
from esteira.release.manifest import Frozen
from esteira.release.partition import PARTITION

DIGITS = 12


class FileChange(Frozen):
    """A file of a part that was changed; `was` is the former path of a renamed one."""

    path: str
    what: Literal["added", "removed", "changed", "mode", "renamed"]
    was: str = ""


class ValueChange(Frozen):
    """A value of a part that was changed; None where there was or is no such value."""

    name: str
    old: Any
    new: Any


class Change(Frozen):
    """A part that differs."""

    part: str
    kind: Literal["partial", "full"] = Field(description="The deploy that it takes")
    old: str = Field(description="The deployed part's digest; empty where it was not deployed")
    new: str
    lost: bool = Field(False, description="Whether what was laid down for the part is gone from the store")
    listed: bool = Field(True, description="Whether it is known what the deployed part was made of")
    files: List[FileChange] = Field(default_factory=list)
    values: List[ValueChange] = Field(default_factory=list)


def compare_inputs(old_digest: str, old: Optional[Inputs], new: Inputs) -> Change:
    """Return how a part's inputs differ from the deployed ones; without these only that they do."""
    return Change(
        part=new.part,
        kind=PARTITION[new.part].kind,
        old=old_digest,
        new=new.digest,
        listed=old is not None,
        files=compare_files(old.files, new.files) if old else [],
        values=compare_values(old.values, new.values) if old else [],
    )


def lost_part(inputs: Inputs) -> Change:
    """Return the change of a part that is the same, but must be laid down again."""
    return Change(part=inputs.part, kind=PARTITION[inputs.part].kind, old=inputs.digest, new=inputs.digest, lost=True)


def compare_files(old: Dict[str, str], new: Dict[str, str]) -> List[FileChange]:
    """Return the changes between two listings of path to "mode id", by path."""
    renamed = find_renamed(old, new)
    former = set(renamed.values())
    changes = [FileChange(path=path, what="renamed", was=was) for path, was in renamed.items()]
    changes += [FileChange(path=path, what="removed") for path in old if path not in new and path not in former]
    for path, entry in new.items():
        if path in old and old[path] != entry:
            same_content = old[path].split(" ")[1] == entry.split(" ")[1]
            changes.append(FileChange(path=path, what="mode" if same_content else "changed"))
        elif path not in old and path not in renamed:
            changes.append(FileChange(path=path, what="added"))
    return sorted(changes, key=lambda change: change.path)


def find_renamed(old: Dict[str, str], new: Dict[str, str]) -> Dict[str, str]:
    """Return each new path that has the content of one that is gone, with the latter."""
    gone: Dict[str, List[str]] = {}
    for path in sorted(old.keys() - new.keys(), reverse=True):
        gone.setdefault(old[path].split(" ")[1], []).append(path)
    renamed = {}
    for path in sorted(new.keys() - old.keys()):
        candidates = gone.get(new[path].split(" ")[1])
        if candidates:
            renamed[path] = candidates.pop()
    return renamed


def compare_values(old: Dict[str, Any], new: Dict[str, Any]) -> List[ValueChange]:
    names = sorted(old.keys() | new.keys())
    pairs = [(name, old.get(name), new.get(name)) for name in names]
    return [ValueChange(name=name, old=before, new=after) for name, before, after in pairs if before != after]


def describe_change(change: Change, name: Callable[[str], str] = str) -> Iterator[str]:
    """Yield what changed, one line a value or file, fit to be printed whatever the files are called.

    `name` makes of names and values what their reader needs to take them for that.
    """
    if change.lost:
        yield "gone from the store"
    elif not change.old:
        yield "not deployed yet"
    elif not change.listed:
        yield "the list of what it was made of is lost"
    for value in change.values:
        yield f"{name(value.name)} {name(shown_value(value.old))} -> {name(shown_value(value.new))}"
    for file in change.files:
        was = f"{name(shown_path(file.was))} -> " if file.was else ""
        yield f"{file.what} {was}{name(shown_path(file.path))}"


def shorten(digest: str) -> str:
    """Return enough of a digest to tell it from others, empty for none."""
    return digest.rpartition(":")[2][:DIGITS]


def shown_value(value: Any) -> str:
    if value is None:
        return "(none)"
    return shorten(value) if str(value).startswith("sha256:") else json.dumps(value)


def shown_path(path: str) -> str:
    """Return a path, quoted where it holds what no terminal should get or no text can."""
    return path if path.isprintable() else json.dumps(path)
