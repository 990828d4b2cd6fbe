"""What requirements-thin.lock has, and an interpreter that sees no more: a workflow's deploy must do with it."""

import re
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Dict, Set

from tests.conftest import REPOSITORY

# Refuses to import what is in the other environment alone.
GUARD = """\
import sys

REFUSED = {refused!r}


class Guard:
    def find_spec(self, name, path=None, target=None):
        if name in REFUSED:
            raise ModuleNotFoundError(f"requirements-thin.lock has no {{name}}", name=name)


if sys.prefix == {prefix!r}:  # not that of gcloud, which is in Python, too
    sys.meta_path.insert(0, Guard())
"""


def locked(name: str) -> Dict[str, str]:
    """Return the versions in a lock, by the packages' names."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE))


def modules(distribution: Distribution) -> Set[str]:
    """Return the modules at the top of a package; of the name that Google's share those below it."""
    parts = [file.parts for file in distribution.files or () if file.suffix == ".py" and ".." not in file.parts]
    names = {".".join(part[:2]) if part[0] == "google" else part[0] for part in parts}
    return {name[: -len(".py")] if name.endswith(".py") else name for name in names}


def refused() -> Set[str]:
    """Return the modules of the packages that the thin lock has not."""
    thin = locked("requirements-thin.lock")
    known = {re.sub("[-_.]+", "-", item.metadata["Name"]).lower(): modules(item) for item in distributions()}
    allowed = set().union(*(known[name] for name in thin))
    return set().union(*(names for name, names in known.items() if name not in thin)) - allowed


def thin_guard(folder: Path) -> Path:
    """Make a folder that, in PYTHONPATH, keeps this interpreter from importing anything else; return it."""
    folder.mkdir()
    text = GUARD.format(refused=sorted(refused()), prefix=sys.prefix)
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    return folder
