"""The forms that a command can show things in, as FORMAT= names them. Apart from tables.py, which imports rich."""

from typing import Sequence

from esteira.errors import SettingsError
from esteira.suggest import suggestion

FORMATS = ("table", "json")


def check_format(format: str, command: str, formats: Sequence[str] = FORMATS) -> None:
    """Raise SettingsError, with what to type, unless `command`, such as make releases, has this format."""
    if format not in formats:
        *others, last = formats
        meant = suggestion(format, formats)
        raise SettingsError(
            f"FORMAT={format}: expected {', '.join(others)} or {last}.{meant} Run: {command} FORMAT=json"
        )


def shortened(text: str, longest: int) -> str:
    """Return a text on one line, cut where it is longer than so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
