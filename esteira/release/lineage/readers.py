"""Who has a part, and which runs read it."""

from typing import Dict, Iterator, List, Sequence, Tuple

from esteira.errors import StateError
from esteira.release.history import read_history
from esteira.release.lineage.records import RunRecords, open_records
from esteira.release.lineage.run import release_of_run, state_of
from esteira.release.lineage.values import PartReader, PartUse
from esteira.release.manifest import Part, Release
from esteira.release.store.interface import Store
from esteira.settings import Settings

# Fewer digits of a digest fit too many parts to be an answer.
LEAST_DIGITS = 4


def part_uses(settings: Settings, store: Store, part: str) -> List[PartUse]:
    """Return each part whose digest or content begins with `part`, with its releases and readers.

    Raises StateError if no release has such a part.
    """
    history = read_history(store).releases
    digits = part.rpartition(":")[2]
    if len(digits) < LEAST_DIGITS:
        raise StateError(
            f"PART={part}: is too short. Expected {LEAST_DIGITS} digits of a digest or more. Run: make lineage"
        )
    found = {(name, known.digest, known.uri): known for name, known in matching(history, digits)}
    if not found:
        raise StateError(
            f"PART={part}: no release has a part with this digest or content.\n"
            "Expected a digest, or its beginning, as make lineage shows it. Run: make lineage"
        )
    records = open_records(settings)
    return [describe_use(name, known, history, records) for (name, _, _), known in found.items()]


def matching(history: Sequence[Release], digits: str) -> Iterator[Tuple[str, Part]]:
    for release in history:
        for name, part in sorted(release.parts.items()):
            if any(digest.rpartition(":")[2].startswith(digits) for digest in (part.digest, part.content)):
                yield name, part


def describe_use(name: str, part: Part, history: Sequence[Release], records: RunRecords) -> PartUse:
    having = [release for release in history if has_part(release, name, part)]
    return PartUse(
        name=name,
        digest=part.digest,
        content=part.content,
        uri=part.uri,
        releases=tuple(release.id for release in having),
        readers=tuple(list_readers(name, part, having, history, records)),
    )


def has_part(release: Release, name: str, part: Part) -> bool:
    """Return whether a release has a part that lies where this one does."""
    other = release.parts.get(name)
    return other is not None and (other.digest, other.uri) == (part.digest, part.uri)


def list_readers(
    name: str, part: Part, having: Sequence[Release], history: Sequence[Release], records: RunRecords
) -> Iterator[PartReader]:
    """Yield the runs of the releases that have a part, and those that the metadata knows to have read it."""
    tasks: Dict[str, List[Tuple[str, str]]] = {
        release.outcome.run: [] for release in reversed(having) if release.outcome
    }
    for task in records.readers_of(part.uri) if part.uri else []:
        tasks.setdefault(task.run, []).append((task.task, state_of(task, {name: part})))
    for run in sorted(tasks, key=lambda run: run.rpartition("-")[2], reverse=True):
        yield PartReader(run, release_of_run(run, history), tuple(tasks[run]))
