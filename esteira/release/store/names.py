"""The rule for the names of objects, which is the same in a folder and in a bucket."""

import re
import shlex

from esteira.errors import StateError

# Where a folder's store makes things before it renames them into place: no object lies there.
NEW = ".new"
# Line breaks and other control characters, and bytes of a file's name that are no UTF-8.
UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def checked_name(name: str, uri: str) -> str:
    """Return the name if it stays below the store at `uri`; else raise StateError.

    https://cloud.google.com/storage/docs/objects#naming forbids line breaks and advises against control
    characters; a folder cannot hold empty parts.
    """
    parts = name.split("/")
    if parts[0] == NEW or any(part in ("", ".", "..") for part in parts) or UNUSABLE.search(name):
        raise StateError(
            f"{uri}: {name!r} is no name of an object. "
            "Expected a relative one such as data/train.csv, without empty parts, .., and control characters."
        )
    return name


def changed_error(place: str) -> StateError:
    """Return the error for an object that was laid down and is not what it was."""
    return StateError(
        f"{place}: holds another content than was laid down there: somebody changed it.\n"
        f"Expected what its folder is named by. Run: {remove_command(place)}    Then run the command again."
    )


def remove_command(place: str) -> str:
    """Return the command that removes an object or a file."""
    program = "gcloud storage rm" if place.startswith("gs://") else "rm"
    return f"{program} {shlex.quote(place)}"
