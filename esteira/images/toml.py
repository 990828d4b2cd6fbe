"""Reading the files in docker/ that say what images are made of."""

from pathlib import Path
from typing import Any, Dict

import tomli

from esteira.errors import ImageError


def read_toml(root: Path, place: str, example: str) -> Dict[str, Any]:
    """Return the values of a file of the repository; ImageError, with an example, if it is missing or no TOML."""
    try:
        return tomli.loads((root / place).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ImageError(f"{place}: no such file. Run: git checkout -- {place}") from None
    except OSError as error:
        raise ImageError(f"{place}: cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise ImageError(f"{place}: is not TOML: {error}. Expected {example}") from None
