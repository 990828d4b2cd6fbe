"""A document that a bench keeps up to date between two marks."""

from pathlib import Path

from esteira.files import write_text


def put_between(path: Path, begin: str, end: str, text: str) -> bool:
    """Put a text between the marks of a file; return whether it has them."""
    whole = path.read_text(encoding="utf-8") if path.exists() else ""
    if begin not in whole or end not in whole:
        return False
    head, tail = whole.partition(begin)[0], whole.partition(end)[2]
    write_text(path, f"{head}{begin}\n{text}\n{end}{tail}")
    return True
