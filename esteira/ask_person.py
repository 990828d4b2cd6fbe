"""Asking whoever sits at a terminal before something is changed; without one the answer is no."""

import sys

from rich.console import Console


def agrees(console: Console, question: str) -> bool:
    """Ask a question of yes or no."""
    return answer(console, question).lower() in ("y", "yes")


def types_name(console: Console, name: str) -> bool:
    """Ask for a name to be typed, which nobody does by mistake."""
    return answer(console, f"Type {name} to remove all of this: ") == name


def answer(console: Console, question: str) -> str:
    return console.input(question, markup=False).strip() if sys.stdin.isatty() else ""
