"""What differs between two releases: parts, their files, modules, hyperparameters, values and metrics."""

import difflib
import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from esteira.errors import CompileError, StateError
from esteira.jobs.bundle import Content, read_bundle
from esteira.release.changes import FileChange, ValueChange, compare_files, compare_values
from esteira.release.digest import digest_bytes
from esteira.release.gist import metrics_of
from esteira.release.inputs import Inputs, readable_inputs
from esteira.release.manifest import PARTS, Release
from esteira.release.places import part_prefix
from esteira.release.store.interface import Store

NO_LINE_BREAK = "\\ No newline at end of file"


class PartChange(NamedTuple):
    """A part by its digests in A and B, "" where there is none.

    The lists are empty where the digests are equal, and where it is `unlisted`: the store has lost what
    one of them was made of.
    """

    part: str
    a: str
    b: str
    files: List[FileChange]
    values: List[ValueChange]
    unlisted: bool = False


class Comparison(NamedTuple):
    """Two releases; `parts` and `metrics` hold all, the rest only what differs. `modules` are unified diffs by path."""

    a: Release
    b: Release
    parts: List[PartChange]
    modules: Dict[str, str]
    hyperparameters: List[ValueChange]
    metrics: List[ValueChange]


def compare_releases(store: Store, a: Release, b: Release) -> Comparison:
    """Return how B differs from A. Raises StateError if something of them is no longer in the store."""
    return Comparison(
        a=a,
        b=b,
        parts=[compare_part(store, name, a, b) for name in PARTS if name in a.parts or name in b.parts],
        modules=diff_files(read_modules(store, a), read_modules(store, b)),
        hyperparameters=compare_values(read_hyperparameters(store, a), read_hyperparameters(store, b)),
        metrics=compare_metrics(metrics_of(a), metrics_of(b)),
    )


def compare_metrics(a: Mapping[str, float], b: Mapping[str, float]) -> List[ValueChange]:
    """Return every metric of either, also those that are equal: that a change moved none is worth knowing."""
    return [ValueChange(name=name, old=a.get(name), new=b.get(name)) for name in sorted({*a, *b})]


def compare_part(store: Store, name: str, a: Release, b: Release) -> PartChange:
    """Return how a part differs, by the listings of what it was made of."""
    one, two = digest_of(a, name), digest_of(b, name)
    if one == two:
        return PartChange(name, one, two, [], [])
    old, new = listing(store, name, one), listing(store, name, two)
    if old is None or new is None:
        return PartChange(name, one, two, [], [], unlisted=True)
    files, values = compare_files(old.files, new.files), compare_values(old.values, new.values)
    return PartChange(name, one, two, files, values)


def digest_of(release: Release, part: str) -> str:
    return release.parts[part].digest if part in release.parts else ""


def listing(store: Store, part: str, digest: str) -> Optional[Inputs]:
    return readable_inputs(store, digest) if digest else Inputs(part, {}, {})


def diff_files(a: Mapping[str, Content], b: Mapping[str, Content]) -> Dict[str, str]:
    """Return a unified diff of each file whose text differs, by path; a file that was renamed has none."""
    changed = [change.path for change in compare_files(entries_of(a), entries_of(b)) if change.what != "renamed"]
    diffs = {path: diff_content(path, a.get(path), b.get(path)) for path in changed}
    return {path: diff for path, diff in diffs.items() if diff}


def entries_of(files: Mapping[str, Content]) -> Dict[str, str]:
    """Return files as listings have them, path to "mode id"; a bundle carries no modes."""
    contents = {path: text if isinstance(text, bytes) else text.encode("utf-8") for path, text in files.items()}
    return {path: f"100644 {digest_bytes(content)}" for path, content in contents.items()}


def diff_content(path: str, a: Optional[Content], b: Optional[Content]) -> str:
    if isinstance(a, bytes) or isinstance(b, bytes):
        return f"Binary files a/{path} and b/{path} differ\n"
    names = ("/dev/null" if a is None else f"a/{path}", "/dev/null" if b is None else f"b/{path}")
    lines = difflib.unified_diff(lines_of(a), lines_of(b), *names)
    return "".join(line if line.endswith("\n") else f"{line}\n{NO_LINE_BREAK}\n" for line in lines)


def lines_of(text: Optional[str]) -> List[str]:
    """Return the lines of a text, each with the line break at its end; the last one may have none."""
    *lines, last = (text or "").split("\n")
    return [f"{line}\n" for line in lines] + [last] * bool(last)


def read_modules(store: Store, release: Release) -> Dict[str, Content]:
    """Return the files of the release's bundle of modules, by path."""
    name, content = only_object(store, release, "modules")
    try:
        return read_bundle(content)
    except CompileError as error:
        raise StateError(f"{store.uri}/{name}: {error}") from None


def read_hyperparameters(store: Store, release: Release) -> Dict[str, Any]:
    """Return the hyperparameters as `values.<name>`, and the space they were searched in as `space.<name>.<key>`."""
    name, content = only_object(store, release, "hyperparameters")
    try:
        found = json.loads(content)
        values = {f"values.{key}": value for key, value in found["values"].items()}
        for entry in found.get("space", []):
            config = {"kind": entry["class_name"], **entry["config"]}
            values.update({f"space.{config['name']}.{key}": value for key, value in config.items() if key != "name"})
    except (ValueError, TypeError, KeyError, AttributeError):
        # Not what KerasTuner writes: its text alone can be compared.
        return {name.rpartition("/")[2]: content.decode("utf-8", "replace")}
    return values


def only_object(store: Store, release: Release, part: str) -> Tuple[str, bytes]:
    """Return the name and the content of the one object that a part consists of; else raise StateError."""
    prefix = part_prefix(part, release.parts[part]) if part in release.parts else ""
    entries = store.list(prefix) if prefix else []
    stored = store.read(entries[0].name) if len(entries) == 1 else None
    if stored is None:
        raise StateError(
            f"release {release.id}: {store.uri}/{prefix or part} holds {len(entries)} files.\n"
            f"Expected the one that its {part} are. Compare other releases: make releases"
        )
    return entries[0].name, stored.content
