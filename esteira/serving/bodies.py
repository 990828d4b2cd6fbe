"""Reading the bodies of requests, of which no more are held than fits, over all connections together."""

from typing import Any, Awaitable, Callable, List, Mapping, MutableMapping, Optional

from esteira.serving.limits import MB, Limits
from esteira.serving.refusal import Gone, Refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# Of a body that is refused, so many times the largest are read and dropped: a client that still sends sees no answer.
DROPPED_BODIES = 8


class Bodies:
    """Counts the bytes of the bodies that are held; each is held from its first byte until it is let go."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held_bytes = 0

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Return the body, which is held until `let_go` is called with it.

        Raises Refusal for one that is compressed (415), too large (413) or too much for now (429), and Gone if the
        client leaves before its end.
        """
        check_encoding(headers)
        pieces: List[bytes] = []
        size, more, refusal = 0, True, None
        try:
            while more and refusal is None:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise Gone
                piece, more = event.get("body", b""), event.get("more_body", False)
                refusal = self._refusal(size, len(piece))
                if refusal is None:
                    pieces.append(piece)
                    size += len(piece)
                    self.held_bytes += len(piece)
        except BaseException:
            self.held_bytes -= size
            raise
        if refusal is None:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.held_bytes -= size
        pieces.clear()
        await drop_rest(receive, more, DROPPED_BODIES * self._limits.max_body_bytes)
        raise refusal

    def let_go(self, body: bytes) -> None:
        self.held_bytes -= len(body)

    def _refusal(self, size: int, more: int) -> Optional[Refusal]:
        """Return why a body of which `size` bytes are held cannot have `more`, None if it can."""
        limits = self._limits
        if size + more > limits.max_body_bytes:
            message = f"body: more than {limits.max_body_bytes} bytes; send fewer rows in one request"
            return Refusal(413, message, {"connection": "close"})
        if self.held_bytes + more > limits.max_held_bytes:
            message = f"body: {limits.max_held_bytes // MB} MB of requests are held already; try again in a second"
            return Refusal(429, message, {"retry-after": "1"})
        return None


def check_encoding(headers: Mapping[bytes, bytes]) -> None:
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding.lower() != b"identity":
        named = encoding.decode("latin-1")
        raise Refusal(415, f"content-encoding: {named} is not supported; send the JSON as it is")


async def drop_rest(receive: Receive, more: bool, limit: int) -> None:
    dropped = 0
    while more and dropped <= limit:
        event = await receive()
        dropped += len(event.get("body", b""))
        more = event.get("more_body", False)
