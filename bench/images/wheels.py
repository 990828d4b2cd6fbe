"""The wheels of the lock for those who install them in a container: a page of links on loopback, for --find-links.

A classic `docker build` can mount no folder, so all get the wheels this way; what goes through loopback here
costs about a second in all. Ranges are answered, as uv reads a wheel's metadata by them.
"""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple


class Links(BaseHTTPRequestHandler):
    """Answers / with the page, and /name with a file or a range of it."""

    protocol_version = "HTTP/1.1"
    server: "LinksServer"

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        if not name:
            page = "".join(f'<a href="{file}">{file}</a>\n' for file in sorted(self.server.files)).encode()
            self.head(200, len(page), {"Content-Type": "text/html"})
            if self.command == "GET":
                self.wfile.write(page)
        elif name in self.server.files:
            self.give(self.server.files[name])
        else:
            self.head(404, 0, {})

    do_HEAD = do_GET

    def give(self, path: Path) -> None:
        size_bytes = path.stat().st_size
        begin, end = asked_range(self.headers.get("Range") or "", size_bytes)
        whole = (begin, end) == (0, size_bytes)
        more = {} if whole else {"Content-Range": f"bytes {begin}-{end - 1}/{size_bytes}"}
        self.head(200 if whole else 206, end - begin, {"Accept-Ranges": "bytes", **more})
        if self.command == "GET":
            self.wfile.flush()
            with path.open("rb") as stream:
                self.connection.sendfile(stream, begin, end - begin)

    def head(self, status: int, length: int, more: Dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class LinksServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: Dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), Links)
        self.files = files
        self.url = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has read enough is no news."""


def asked_range(text: str, size_bytes: int) -> Tuple[int, int]:
    """Return where a range begins and ends (RFC 9110, section 14.1.2); the whole file for what is none."""
    first, dash, last = text.partition("=")[2].partition("-")
    if not dash or not (first or last):
        return 0, size_bytes
    if not first:
        return max(size_bytes - int(last), 0), size_bytes
    return int(first), min(int(last) + 1 if last else size_bytes, size_bytes)


@contextmanager
def serve_links(files: Dict[str, Path]) -> Iterator[str]:
    """Serve files by their names until the block ends; gives the page's URL."""
    server = LinksServer(files)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
