"""The forms that a command can show things in, as FORMAT= names them. Apart from tables.py, which imports rich."""

import re
from typing import Sequence

from esteira.errors import SettingsError

FORMATS = ("table", "json")
# What a terminal obeys rather than shows: the control characters C0 and C1 but for the end of a line and a tab, and
# the marks that turn the direction of what follows. https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def check_format(format: str, command: str, formats: Sequence[str] = FORMATS) -> None:
    """Raise SettingsError, with what to type, unless `command`, such as make releases, has this format."""
    if format not in formats:
        *others, last = formats
        raise SettingsError(f"FORMAT={format}: expected {', '.join(others)} or {last}. Run: {command} FORMAT=json")


def visible(text: str) -> str:
    """Return a text that a stranger may have written so that a terminal shows all of it, and obeys none."""
    return OBEYED.sub("\ufffd", text)
