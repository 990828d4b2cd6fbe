"""A client's connection as uvicorn speaks HTTP over it, with bounds that uvicorn does not set.

Its heads and trailers may not be endless, nor may anything take for ever, and its answers must be read some day; a
request whose client has left is given up.
"""

from typing import Any, Optional

from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from esteira.serving.answers import error_content
from esteira.serving.underway import GONE, KEY, Underway

# A request's line and headers, roughly, and what else is no body: more than this is not waited for.
MAX_HEAD_BYTES = 64 * 1024


class Connection(HttpToolsProtocol):
    """`check` is to be called about every second."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Since when a head, or the first byte of one, is awaited; None while a request is answered or after one.
        self._head_since_s: Optional[float] = None
        self._head_bytes = 0
        # Since the last piece of a body: of trailers, a chunk's extensions or empty lines. Nothing reads them.
        self._idle_bytes = 0
        self._is_moving = False
        self._answered_s = 0.0
        self._unread_since_s: Optional[float] = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._head_since_s = self.loop.time()

    def connection_lost(self, exc: Optional[Exception]) -> None:
        cycle = self.cycle
        super().connection_lost(exc)
        if cycle is not None and not cycle.response_complete:
            underway = cycle.scope.get(KEY)
            if isinstance(underway, Underway):
                underway.give_up(GONE)

    def data_received(self, data: bytes) -> None:
        self._is_moving = False
        super().data_received(data)
        # What came before a head that begins within these is not known to be part of it.
        more = 0 if self._is_moving else len(data)
        if self._head_since_s is not None:
            self._head_bytes += more or 1
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"headers: more than {MAX_HEAD_BYTES} bytes")
            return
        self._idle_bytes = self._idle_bytes + more if more else 0
        if self._idle_bytes > MAX_HEAD_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_since_s, self._head_bytes = self.loop.time(), 0
        self._is_moving = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer, which comes after a body in chunks, is dropped."""
        if self._head_since_s is not None:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_since_s = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._is_moving = True
        super().on_body(body)

    def on_response_complete(self) -> None:
        self._answered_s = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Called for what the parser does not understand."""
        self._refuse(400, "request: is malformed; expected HTTP/1.1")

    def _unsupported_upgrade_warning(self) -> None:
        """Answer as if no other protocol had been asked for, which HTTP allows; what follows can't be read as HTTP."""
        if CLOSE_HEADER not in self.headers:
            self.headers.append(CLOSE_HEADER)

    def check(self, now_s: float, timeout_s: float) -> None:
        """End the connection if a head has not arrived, or an answer has not been read, within `timeout_s`.

        One that is answered may rest, or send what nobody reads, for as long as connections are kept.
        """
        if self._head_since_s is not None and now_s - self._head_since_s > timeout_s:
            if self._head_bytes:
                self._refuse(408, f"headers: had not arrived within {timeout_s:g} s")
            else:
                self.transport.close()
        elif self._rests and now_s - self._answered_s > self.timeout_keep_alive:
            self.transport.close()
        if not self.transport.get_write_buffer_size():
            self._unread_since_s = None
        elif self._unread_since_s is None:
            self._unread_since_s = now_s
        elif now_s - self._unread_since_s > timeout_s:
            self.transport.abort()

    @property
    def _rests(self) -> bool:
        """Whether all that was asked is answered, and no other head has begun."""
        return self._head_since_s is None and self.cycle is not None and self.cycle.response_complete

    def _refuse(self, status: int, message: str) -> None:
        self._head_since_s = None
        if self.transport.is_closing():
            return
        content = error_content(status, message, as_google=False)
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content)
        self.transport.write(STATUS_LINE[status] + head + content)
        self.transport.close()
