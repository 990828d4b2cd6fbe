"""The number of the stand-in's project, which Google's servers name things by however they are asked for."""

import re

PROJECT_NUMBER = "123456789012"


def numbered(name: str) -> str:
    """Return a resource's name with the project's number in place of its id."""
    return re.sub(r"\Aprojects/[^/]+", f"projects/{PROJECT_NUMBER}", name)
