"""Laying files down under content-named prefixes in an environment's bucket.

What lies there is never changed: a part that is present is taken as it is.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Iterable, Tuple

from esteira.files import telling_os_errors

# ExampleGen's fingerprint holds time stamps, so equal content gets equal ones.
EPOCH_S = 946684800  # 2000-01-01, after the earliest date that ZIP files can hold


def lay_down(folder: Path, files: Iterable[Tuple[str, Path]]) -> None:
    """Copy (relative name, file) pairs into `folder`, all or nothing, unless it exists.

    Raises StateError for a full disk or a missing permission.
    """
    if folder.exists():
        return
    with telling_os_errors("write", folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
        try:
            for name, source in sorted(files):
                copy_file(source, temporary / name)
            temporary.chmod(0o755)
            rename_once(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)
    os.utime(target, (EPOCH_S, EPOCH_S))


def rename_once(temporary: Path, folder: Path) -> None:
    """Rename into place; if another deploy was first, its equal content stays."""
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.exists():
            raise
