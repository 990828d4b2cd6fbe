"""A client's connection as uvicorn speaks HTTP over it, with bounds that uvicorn does not set.

Its heads may not be endless, nor take for ever, and its answers must be read some day; a request whose client has
left is given up.
"""

from typing import Any, Optional

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from esteira.serving.answers import error_content
from esteira.serving.underway import GONE, KEY, Underway

# A request's line and headers, roughly: more than this is not waited for.
MAX_HEAD_BYTES = 64 * 1024


class Connection(HttpToolsProtocol):
    """`check` is to be called about every second."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Since when a head, or the first byte of one, is awaited; None while a request is answered or after one.
        self._head_since_s: Optional[float] = None
        self._head_bytes = 0
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
        super().data_received(data)
        if self._head_since_s is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(431, f"headers: more than {MAX_HEAD_BYTES} bytes")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_since_s, self._head_bytes = self.loop.time(), 0

    def on_headers_complete(self) -> None:
        self._head_since_s = None
        super().on_headers_complete()

    def check(self, now_s: float, timeout_s: float) -> None:
        """End the connection if a head has not arrived, or an answer has not been read, within `timeout_s`."""
        if self._head_since_s is not None and now_s - self._head_since_s > timeout_s:
            if self._head_bytes:
                self._refuse(408, f"headers: had not arrived within {timeout_s:g} s")
            else:
                self.transport.close()
        if not self.transport.get_write_buffer_size():
            self._unread_since_s = None
        elif self._unread_since_s is None:
            self._unread_since_s = now_s
        elif now_s - self._unread_since_s > timeout_s:
            self.transport.abort()

    def _refuse(self, status: int, message: str) -> None:
        self._head_since_s = None
        if self.transport.is_closing():
            return
        content = error_content(status, message, as_google=False)
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(content)
        self.transport.write(STATUS_LINE[status] + head + content)
        self.transport.close()
