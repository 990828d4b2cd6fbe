"""What may be meant by a word that is not known."""

import difflib
from typing import Iterable


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return " Perhaps you meant …." with the one known word that is close, "" if none is."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Perhaps you meant {close[0]}." if close else ""
