"""How a registry says what it wants: the header WWW-Authenticate.

Source: RFC 7235 and distribution's specification of token authentication.
"""

import re
from typing import Dict, NamedTuple, Optional

SCHEME = re.compile(r"(?:^|,)\s*(basic|bearer)(?=\s|$)", re.IGNORECASE)
PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


class Challenge(NamedTuple):
    """A scheme, `basic` or `bearer`, and its parameters, such as realm and service."""

    scheme: str
    parameters: Dict[str, str]


def read_challenge(header: str) -> Optional[Challenge]:
    """Return what a header asks for, a token before a password; None if it is neither."""
    found = list(SCHEME.finditer(header))
    ends = [match.start() for match in found[1:]] + [len(header)]
    challenges = [
        Challenge(match[1].lower(), read_parameters(header[match.end() : end])) for match, end in zip(found, ends)
    ]
    usable = [challenge for challenge in challenges if challenge.scheme == "basic" or "realm" in challenge.parameters]
    usable.sort(key=lambda challenge: challenge.scheme != "bearer")
    return usable[0] if usable else None


def read_parameters(text: str) -> Dict[str, str]:
    return {name.lower(): quoted or plain for name, quoted, plain in PARAMETER.findall(text)}
