"""Writing files so that nobody ever sees half of one."""

import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from esteira.errors import StateError


@contextmanager
def telling_os_errors(what: str, path: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into a StateError that names the place."""
    try:
        yield
    except OSError as error:
        raise StateError(
            f"{error.filename or path}: cannot {what}: {error.strerror or error}.\n"
            "Expected a writable folder with free space. "
            "Free some space or mend the permissions, then run the command again."
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, then rename it into place."""
    with telling_os_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink()
            raise


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 text under a temporary name, then rename it into place."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON value for people and diffs: keys sorted, indented, UTF-8 as it is."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path, command: str) -> Any:
    """Return what a JSON file holds; StateError, with the command that makes it, if it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StateError(f"{path}: no such file. Run: {command}") from None
    except ValueError as error:
        raise StateError(f"{path}: is not JSON: {error}. Remove it and run: {command}") from None
