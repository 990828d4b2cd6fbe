"""Files that two packages bring: equal ones are one file, unequal ones an error, as the last one would win."""

from typing import Dict, Iterable, List, Set, Tuple

from esteira.errors import ImageError
from esteira.images.layers.entry import Entry

# The mark of a file's content and the package that brings it, by path.
Files = Dict[str, Tuple[str, str]]
SHOWN = 20


def files_of(entries: Iterable[Entry]) -> Files:
    """Return the files of a layer; folders and links are ours alone."""
    return {entry.path: (entry.mark, entry.owner) for entry in entries if entry.mark}


def merge_equal(entries: Iterable[Entry]) -> List[Entry]:
    """Return entries with each path once; ImageError if two packages write one file differently."""
    kept: Dict[str, Entry] = {}
    faults = []
    for entry in entries:
        first = kept.setdefault(entry.path, entry)
        if first is not entry and first.mark != entry.mark:
            faults.append((entry.path, first.owner, entry.owner))
    refuse(faults)
    check_folders(files_of(kept.values()))
    return list(kept.values())


def check_conflicts(layers: Iterable[Files]) -> None:
    """Raise ImageError, with every file, where packages of different layers write one file differently."""
    known: Files = {}
    faults = []
    for files in layers:
        for path, (mark, owner) in files.items():
            first_mark, first_owner = known.setdefault(path, (mark, owner))
            if first_mark != mark:
                faults.append((path, first_owner, owner))
    refuse(faults)
    check_folders(known)


def check_folders(files: Files) -> None:
    """Raise ImageError where one package has a file and another one a folder: no archive can hold both."""
    seen: Set[str] = set()
    for path, (_, owner) in files.items():
        folder = path.rpartition("/")[0]
        while folder and folder not in seen:
            if folder in files:
                raise ImageError(
                    f"/{folder}: {files[folder][1]} has a file there, and {owner} files below it.\n"
                    "Expected a file or a folder. Keep one of the two packages in requirements.in and run: make lock"
                )
            seen.add(folder)
            folder = folder.rpartition("/")[0]


def refuse(faults: List[Tuple[str, str, str]]) -> None:
    if not faults:
        return
    # The byte code of unequal sources is no news.
    news = [fault for fault in faults if "/__pycache__/" not in fault[0]] or faults
    lines = [f"/{path}: {first} and {second} write it differently." for path, first, second in sorted(news)]
    more = [f"… and {len(lines) - SHOWN} more files"] if len(lines) > SHOWN else []
    raise ImageError(
        "\n".join([*lines[:SHOWN], *more])
        + "\nExpected equal files, since the one that is installed last would win. "
        "Keep one of the two packages, or a version that fits, in requirements.in and run: make lock"
    )
