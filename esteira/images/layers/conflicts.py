"""Files that two packages, or one and the virtual environment, bring.

Equal ones are one file, unequal ones an error, as the last one would win.
"""

from typing import Dict, Iterable, List, Set, Tuple

from esteira.errors import ImageError
from esteira.images.layers.entry import LINK_MARK, Entry

# The mark of a file's content or a link's target, and the package that brings it, by path.
Files = Dict[str, Tuple[str, str]]
SHOWN = 20
# Who the files are of that a virtual environment has before any package is in it.
ENVIRONMENT = "the virtual environment"


def files_of(entries: Iterable[Entry]) -> Files:
    """Return the files and links of a layer; a folder may be in many."""
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
    """Raise ImageError where one package has a file or link and another one a folder: no archive can hold both.

    What unpacks a layer may well follow the link, or put a folder in its place.
    """
    seen: Set[str] = set()
    for path, (_, owner) in files.items():
        folder = path.rpartition("/")[0]
        while folder and folder not in seen:
            if folder in files:
                mark, first = files[folder]
                kind = "link" if mark.startswith(LINK_MARK) else "file"
                raise ImageError(
                    f"/{folder}: {first} has a {kind} there, and {owner} files below it.\n"
                    f"Expected a {kind} or a folder. {advice([(first, owner)])}"
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
        + advice([(first, second) for _, first, second in news])
    )


def advice(owners: List[Tuple[str, str]]) -> str:
    """Return what to do about packages that do not fit to each other, or to the environment."""
    is_alone = all(ENVIRONMENT in pair for pair in owners)
    choice = "Leave the package out, or keep" if is_alone else "Keep one of the two packages, or"
    return f"{choice} a version that fits, in requirements.in and run: make lock"
