"""A stand-in behind TLS, so that requests to it are signed as those to Google are."""

import ssl
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from esteira.local.cloud.server import Server, StandIn, answering


def make_certificate(folder: Path) -> Path:
    """Return a file with a key and a certificate of 127.0.0.1."""
    both = folder / "server.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(both), "-out", str(folder / "certificate.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(both.read_text() + (folder / "certificate.pem").read_text())
    return both


@contextmanager
def served_over_tls(stand_in: StandIn, certificate: Path) -> Iterator[StandIn]:
    """Serve a stand-in on a free port of 127.0.0.1 until the end of the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Server(stand_in) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with answering(server, "https"):
            yield stand_in
