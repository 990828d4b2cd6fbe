"""Reading the files in docker/ that say what images are made of."""

from pathlib import Path
from typing import Any, Dict

import tomli

from esteira.errors import ImageError


def read_toml(root: Path, place: str, example: str) -> Dict[str, Any]:
    """Return the values of a file of the repository; ImageError, with an example, if it is missing or no TOML."""
    try:
        content = (root / place).read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{place}: no such file. Run: git checkout -- {place}") from None
    except OSError as error:
        raise ImageError(f"{place}: cannot be read: {error.strerror}.") from None
    return parse_toml(content, place, example)


def parse_toml(content: bytes, place: str, example: str) -> Dict[str, Any]:
    """Return the values of a file's content; ImageError, with an example, if it is no TOML."""
    try:
        # Line ends may be another system's.
        return tomli.loads(content.decode("utf-8").replace("\r\n", "\n"))
    except (UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise ImageError(f"{place}: is not TOML: {error}. Expected {example}") from None
