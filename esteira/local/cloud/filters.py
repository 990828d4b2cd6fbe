"""Filters of listings, as far as the engine uses them: comparisons with AND, OR and parentheses.

https://google.aip.dev/160, and https://cloud.google.com/logging/docs/view/logging-query-language for `=("a" OR "b")`
"""

import re
from typing import Any, Callable, List, Mapping

from esteira.local.cloud.refusal import Refused

TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(>=|<=|=|>|<)|([()])|([^\s()=<>"]+))')
COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    ">=": lambda value, wanted: value >= wanted,
    "<=": lambda value, wanted: value <= wanted,
    ">": lambda value, wanted: value > wanted,
    "<": lambda value, wanted: value < wanted,
}
Test = Callable[[Any], bool]


def matches(filter: str, entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is found by a filter; Refused for a filter that cannot be read."""
    return not filter.strip() or Reader(filter).test()(entry)


class Reader:
    """Reads one filter. AND binds closer than OR."""

    def __init__(self, filter: str) -> None:
        self._filter = filter
        self._tokens: List[str] = []
        place = 0
        while place < len(filter.rstrip()):
            match = TOKEN.match(filter, place)
            if match is None:
                raise self._refused()
            self._tokens.append(match[0].strip())
            place = match.end()

    def test(self) -> Test:
        test = self._either()
        if self._tokens:
            raise self._refused()
        return test

    def _either(self) -> Test:
        tests = [self._both()]
        while self._next_is("OR"):
            tests.append(self._both())
        return lambda entry: any(test(entry) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._next_is("AND"):
            tests.append(self._one())
        return lambda entry: all(test(entry) for test in tests)

    def _one(self) -> Test:
        if self._next_is("("):
            test = self._either()
            self._expect(")")
            return test
        field, sign = self._take(), self._take()
        if sign not in COMPARE:
            raise self._refused()
        wanted = self._values()
        return lambda entry: any(COMPARE[sign](look_up(entry, field), value) for value in wanted)

    def _values(self) -> List[str]:
        if not self._next_is("("):
            return [comparable(self._take().strip('"'))]
        values = [comparable(self._take().strip('"'))]
        while self._next_is("OR"):
            values.append(comparable(self._take().strip('"')))
        self._expect(")")
        return values

    def _next_is(self, token: str) -> bool:
        if self._tokens[:1] == [token]:
            del self._tokens[0]
            return True
        return False

    def _take(self) -> str:
        if not self._tokens:
            raise self._refused()
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        if not self._next_is(token):
            raise self._refused()

    def _refused(self) -> Refused:
        return Refused(400, f"Unparseable filter: {self._filter}")


def look_up(entry: Mapping[str, Any], field: str) -> str:
    """Return the value of a field such as resource.labels.job_id, "" if it is not there."""
    value: Any = entry
    for name in field.split("."):
        value = value.get(name) or value.get(camel(name), "") if isinstance(value, Mapping) else ""
    return comparable(str(value))


def camel(name: str) -> str:
    """Return a field's name as JSON has it: display_name is displayName."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def comparable(value: str) -> str:
    """Return a value so that times are in the order of their texts: with nine digits after the second."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z", value)
    return f"{match[1]}.{(match[2] or '').ljust(9, '0')}Z" if match else value
