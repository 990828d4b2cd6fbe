"""What a page lacks: told all at once, with what to write where."""

from typing import List

from esteira.errors import TemplateError


class Faults:
    """Collects what is missing, a line each; `check` raises TemplateError if there is anything."""

    def __init__(self) -> None:
        self.lines: List[str] = []

    def expect(self, told: str, place: str, expected: str) -> str:
        """Return a text, "" if it is empty: then it is missing at a place, where `expected` is to be written."""
        if not told.strip():
            self.lines.append(f"{place}: has no description. Expected {expected}")
        return told

    def check(self) -> None:
        if self.lines:
            raise TemplateError("\n".join([*self.lines, "Write it, then run: make generate"]))
