"""An upload in pieces, which goes on after a cut where the server has got to.

https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import re
from typing import IO, TYPE_CHECKING, Optional

from esteira.google.api import Api, Json
from esteira.google.refusals import NotFoundError, RefusedError
from esteira.release.store.content import CHUNK_BYTES

if TYPE_CHECKING:
    import requests

WHAT = "upload a piece"
# The session goes on; it is gone, and the upload begins anew.
GOES_ON = 308
GONE = 410


class Pieces:
    """The content of `size_bytes` in a stream, sent to the session at `url`."""

    def __init__(self, api: Api, url: str, stream: IO[bytes], size_bytes: int) -> None:
        self._api = api
        self._url = url
        self._stream = stream
        self._size_bytes = size_bytes
        # How many bytes the server has; None while an answer is missing that would tell.
        self._sent_bytes: Optional[int] = 0

    def send(self) -> Json:
        """Return the resource of the object once all is sent.

        Raises GoogleError; NotFoundError if the session has ended.
        """
        before = -1
        while True:
            response = self._api.repeated(WHAT, self._send_piece, harmless=True)
            if response.status_code != GOES_ON:
                break
            if self._sent_bytes is None or self._sent_bytes <= before:
                raise RefusedError(f"{WHAT}: no progress", said=f"takes no more than {before} bytes of an upload")
            before = self._sent_bytes
        if response.status_code == GONE:
            raise NotFoundError(f"{WHAT}: the session has ended", GONE, said="the upload's session has ended")
        return self._api.read(WHAT, response)

    def _send_piece(self) -> "requests.Response":
        """Send the next piece; first ask how far the last one got if its answer is missing."""
        if self._sent_bytes is None:
            response = self._put(b"", f"bytes */{self._size_bytes}")
            if response.status_code != GOES_ON:
                return response
            self._sent_bytes = got_bytes(response)
        start_bytes, self._sent_bytes = self._sent_bytes, None
        self._stream.seek(start_bytes)
        piece = self._stream.read(CHUNK_BYTES)
        span = f"bytes {start_bytes}-{start_bytes + len(piece) - 1}/{self._size_bytes}"
        response = self._put(piece, span)
        if response.status_code == GOES_ON:
            self._sent_bytes = got_bytes(response)
        return response

    def _put(self, piece: bytes, span: str) -> "requests.Response":
        return self._api.request("", "PUT", "", url=self._url, data=piece, headers={"Content-Range": span})


def got_bytes(response: "requests.Response") -> int:
    """Return how many bytes a session has, by its header Range: bytes=0-N, which is missing while it has none."""
    found = re.match(r"bytes=0-([0-9]+)$", response.headers.get("Range", ""))
    return int(found[1]) + 1 if found else 0
