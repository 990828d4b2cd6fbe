"""Cutting the two small languages of a job, conditions and filters, into tokens."""

from dataclasses import dataclass
from typing import List, Pattern

from esteira.errors import JobError


@dataclass(frozen=True)
class Token:
    """`kind` is the name of the group that matched; `at` the offset in the text."""

    kind: str
    text: str
    at: int


class Tokens:
    """A cursor over the tokens of `text`. Errors name `what`, the text and the place in it."""

    def __init__(self, text: str, pattern: Pattern[str], what: str) -> None:
        self._text = text
        self._what = what
        self._index = 0
        self._tokens = self._cut(pattern)

    def _cut(self, pattern: Pattern[str]) -> List[Token]:
        tokens: List[Token] = []
        at = 0
        while at < len(self._text):
            found = pattern.match(self._text, at)
            if not found or found.end() == at:
                raise self.error("cannot be read", at)
            if found.lastgroup and found.lastgroup != "space":
                tokens.append(Token(found.lastgroup, found.group(), at))
            at = found.end()
        return [*tokens, Token("end", "", at)]

    @property
    def current(self) -> Token:
        return self._tokens[self._index]

    def next(self) -> Token:
        token = self.current
        self._index = min(self._index + 1, len(self._tokens) - 1)
        return token

    def accept(self, *texts: str) -> str:
        """Step over the current token if it is one of `texts`; return it, or nothing."""
        if self.current.kind not in ("end", "string") and self.current.text in texts:
            return self.next().text
        return ""

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.unexpected(f'"{text}"')

    def expect_kind(self, kind: str) -> str:
        if self.current.kind != kind:
            raise self.unexpected(f"a {kind}")
        return self.next().text

    def unexpected(self, expected: str) -> JobError:
        found = f'"{self.current.text}"' if self.current.text else "its end"
        return self.error(f"expected {expected}, found {found}", self.current.at)

    def error(self, reason: str, at: int) -> JobError:
        return JobError(
            f"{self._what}: {reason} at character {at + 1} of:\n  {self._text}\n"
            "Nothing was run. Change the pipeline, or run the job in a cloud environment."
        )
