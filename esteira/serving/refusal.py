"""A request that the server does not fulfil."""

from typing import Dict, Optional


class Refusal(Exception):
    """Becomes an answer of `status` with the body {"error": message}."""

    def __init__(self, status: int, message: str, headers: Optional[Dict[str, str]] = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


class Gone(Exception):
    """The client left before its request was complete: nobody reads an answer."""
