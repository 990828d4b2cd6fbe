"""Texts of others as a terminal may get them."""

import re

# Control characters but tab and line feed, of which escape sequences are made; the ends of lines that only Unicode
# knows; what turns the direction of the texts around it (https://www.unicode.org/reports/tr9/); halves of surrogate
# pairs.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Return the text with what would change how other texts are shown, or cannot be shown, replaced by U+FFFD."""
    return UNSEEN.sub("\ufffd", text)
