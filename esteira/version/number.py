"""A version of the engine: https://semver.org, without anything behind the third number."""

import re
from typing import NamedTuple

from esteira.errors import SettingsError

PATTERN = re.compile(r"v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", re.ASCII)
EXAMPLE = "a version such as 0.2.0"


class Version(NamedTuple):
    """A version, which compares as its numbers do."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        """The git tag that it has in the engine's repository."""
        return f"v{self}"


def parse_version(text: str) -> Version:
    """Return the version of a text such as 0.2.0 or v0.2.0; ValueError for any other."""
    match = PATTERN.fullmatch(text)
    if not match:
        raise ValueError(f'"{text}" is no version; expected {EXAMPLE}')
    return Version(*(int(digits) for digits in match.groups()))


def given_version(text: str) -> Version:
    """Return the version that VERSION= holds; SettingsError if it is none."""
    try:
        return parse_version(text)
    except ValueError:
        raise SettingsError(f"VERSION={text}: is no version. Expected {EXAMPLE}") from None


def own_version() -> Version:
    """Return the version of this engine: the one place that holds it is esteira/__init__.py."""
    from esteira import __version__

    return parse_version(__version__)
