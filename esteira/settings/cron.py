"""The cron line of a schedule: five fields, each within its range, so that Vertex AI does not refuse it later.

https://cloud.google.com/vertex-ai/docs/pipelines/schedule-pipeline-run has the form, https://en.wikipedia.org/wiki/Cron
the fields.
"""

import re
from typing import NamedTuple, Tuple

ZONE = re.compile(r"(?:CRON_)?TZ=[A-Za-z][\w/+-]*")
NUMBER = re.compile(r"[0-9]{1,2}\Z")
EXAMPLE = 'a cron line of five fields such as "TZ=Europe/Berlin 0 6 * * 1"'
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Field(NamedTuple):
    """A field of the line: what it is, its range, and names that stand for its numbers."""

    title: str
    least: int
    most: int
    names: Tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, DAYS),
)


def checked_cron(line: str) -> str:
    """Return a cron line as it is given. Raises ValueError that says which field is wrong, and what was expected."""
    words = line.split(" ")
    if words and ZONE.fullmatch(words[0]):
        words = words[1:]
    if len(words) != len(FIELDS):
        raise ValueError(f'is "{line}"; expected {EXAMPLE}')
    for field, word in zip(FIELDS, words):
        for entry in word.split(","):
            if not fits(field, entry):
                said = f'"{entry}"' if entry == word else f'"{entry}" in "{word}"'
                least, most = field.least, field.most
                raise ValueError(
                    f'is "{line}"; its {field.title} is {said}; expected {least} to {most}, a range such as '
                    f"{least}-{most}, a list with commas, *, or a step such as */2"
                )
    return line


def fits(field: Field, entry: str) -> bool:
    """Return whether an entry of a list is *, a number or a range within the field's own, with a step or without."""
    span, slash, step = entry.partition("/")
    if slash and not (NUMBER.match(step) and 1 <= int(step) <= field.most):
        return False
    if span == "*":
        return True
    first, dash, last = span.partition("-")
    numbers = [number_in(field, word) for word in ([first, last] if dash else [first])]
    return numbers == sorted(numbers) and all(field.least <= number <= field.most for number in numbers)


def number_in(field: Field, word: str) -> int:
    """Return the number that a word stands for; -1, which no field has, if it is none."""
    if NUMBER.match(word):
        return int(word)
    return field.names.index(word.upper()) + field.least if word.upper() in field.names else -1
