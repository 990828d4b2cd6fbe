"""Servers of the tests' own that stand before a registry: they count, cut connections, answer wrongly, give tokens."""

import base64
import datetime
import hashlib
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Type
from urllib.parse import parse_qs, urlsplit

import requests

from tests.images.registry_server import PASSWORD, USER, RegistryServer, run_registry

CHUNK_BYTES = 16384
SERVICE = "test-registry"


class CuttingProxy:
    """Passes bytes on in both directions and counts them; cuts the first connection that carries as many as told."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut_after_bytes: Dict[str, int] = {}
        self.bytes = {"up": 0, "down": 0}
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # which wakes the thread that waits for a connection
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            name, _, port = self._upstream.partition(":")
            server = socket.create_connection((name, int(port)))
            for direction, source, target in (("up", client, server), ("down", server, client)):
                threading.Thread(target=self._pump, args=(direction, source, target), daemon=True).start()

    def _pump(self, direction: str, source: socket.socket, target: socket.socket) -> None:
        passed = 0
        try:
            for chunk in iter(lambda: source.recv(CHUNK_BYTES), b""):
                limit = self._limit(direction, passed + len(chunk))
                if limit is not None:
                    chunk = chunk[: limit - passed]
                target.sendall(chunk)
                passed += len(chunk)
                with self._lock:
                    self.bytes[direction] += len(chunk)
                if limit is not None:
                    break
        except OSError:
            pass
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _limit(self, direction: str, passed: int) -> Optional[int]:
        """Return after how many bytes to cut this connection, once, when it would pass them."""
        with self._lock:
            limit = self.cut_after_bytes.get(direction)
            if limit is not None and passed > limit:
                del self.cut_after_bytes[direction]
                return limit
            return None


@contextmanager
def run_proxy(upstream: str) -> Iterator[CuttingProxy]:
    """Run a proxy that can cut connections until the block ends."""
    proxy = CuttingProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()


class Front(BaseHTTPRequestHandler):
    """Passes requests on to `server.upstream`, and notes them in `server.seen`; subclasses answer some themselves."""

    protocol_version = "HTTP/1.1"
    server: "FrontServer"

    def answers(self) -> bool:
        """Answer the request, or return False to pass it on."""
        return False

    def do_GET(self) -> None:
        self.server.seen.append(f"{self.command} {urlsplit(self.path).path}")
        if not self.answers():
            self.pass_on()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def pass_on(self) -> None:
        session = requests.Session()
        session.trust_env = False
        response = session.request(
            self.command,
            f"http://{self.server.upstream}{self.path}",
            data=self.body(),
            headers=dict(self.headers.items()),
            allow_redirects=False,
            timeout=60,
        )
        kept = {name: value for name, value in response.headers.items() if name.lower() not in ("date", "connection")}
        self.answer(response.status_code, kept, response.content)

    def answer(self, status: int, headers: Dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        length = headers.pop("Content-Length", str(len(content)))
        for name, value in {**headers, "Content-Length": length}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class FrontServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, front: Type[Front]) -> None:
        super().__init__(("127.0.0.1", 0), front)
        self.upstream = upstream
        self.host = f"127.0.0.1:{self.server_port}"
        self.seen: List[str] = []
        self.uploads: Dict[str, bytearray] = {}
        self.cut_upload_after_bytes: Optional[int] = None
        self.patched: List[str] = []
        self.token_s = 300

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that a test cuts is no news."""


@contextmanager
def run_front(upstream: str, front: Type[Front] = Front) -> Iterator[FrontServer]:
    """Run a front of a registry until the block ends."""
    server = FrontServer(upstream, front)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class ResumableUploads(Front):
    """Keeps uploads itself, as the specification has it, so that one that was cut can be gone on with.

    Debian's registry forgets an upload that was cut.
    """

    def answers(self) -> bool:
        place = urlsplit(self.path)
        if "/blobs/uploads/" not in place.path:
            return False
        name = place.path.rpartition("/")[2]
        if self.command == "POST":
            name = str(len(self.server.uploads))
            self.server.uploads[name] = bytearray()
            self.tell(202, place.path + name, name)
        elif self.command == "GET":
            self.tell(204, place.path, name)
        elif self.command == "PATCH":
            self.take(place.path, name)
        else:
            self.finish(name, parse_qs(place.query)["digest"][0])
        return True

    def tell(self, status: int, path: str, name: str) -> None:
        held = max(len(self.server.uploads[name]) - 1, 0)
        self.answer(status, {"Location": path, "Range": f"0-{held}"})

    def take(self, path: str, name: str) -> None:
        held, length = self.server.uploads[name], int(self.headers["Content-Length"])
        self.server.patched.append(f"{self.headers.get('Content-Range')} {length}")
        begin = int((self.headers.get("Content-Range") or "0-").partition("-")[0])
        limit = self.server.cut_upload_after_bytes
        if limit is not None:
            self.server.cut_upload_after_bytes = None
            held += self.rfile.read(limit)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif begin != len(held):
            self.body()
            self.answer(416, {})
        else:
            held += self.body()
            self.tell(202, path, name)

    def finish(self, name: str, digest: str) -> None:
        content = bytes(self.server.uploads.pop(name))
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digest
        repository = self.path.partition("/v2/")[2].partition("/blobs/")[0]
        begun = requests.post(f"http://{self.server.upstream}/v2/{repository}/blobs/uploads/", timeout=60)
        done = requests.put(begun.headers["Location"] + f"&digest={digest}", data=content, timeout=60)
        self.answer(done.status_code, {"Docker-Content-Digest": digest})


class TokenServer(Front):
    """Gives tokens to USER, and to nobody for reading only, as distribution's specification of them has it."""

    def answers(self) -> bool:
        place = urlsplit(self.path)
        given = self.headers.get("Authorization")
        form = parse_qs(self.body().decode()) if self.command == "POST" else parse_qs(place.query)
        known = given == f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
        known = known or form.get("refresh_token") == ["an identity token"]
        if given and not known:
            self.answer(401, {}, b'{"errors": [{"code": "DENIED", "message": "wrong user or password"}]}')
            return True
        scopes = [scope for text in form.get("scope", []) for scope in text.split()]
        access = [grant(scope, known) for scope in scopes]
        self.server.patched.append(" ".join(scopes))
        token = self.server.signer.token(access, self.server.token_s)  # type: ignore[attr-defined]
        self.answer(200, {}, json.dumps({"token": token, "expires_in": self.server.token_s}).encode())
        return True


def grant(scope: str, known: bool) -> Dict[str, Any]:
    kind, name, actions = scope.split(":")
    wanted = actions.split(",")
    return {"type": kind, "name": name, "actions": wanted if known else [word for word in wanted if word == "pull"]}


class Signer:
    """A key, and its certificate for the registry that is to believe it."""

    def __init__(self, certificate: Path) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.x509.oid import NameOID

        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SERVICE)])
        day = datetime.timedelta(days=1)
        today = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._key.public_key())
        builder = builder.serial_number(1).not_valid_before(today - day).not_valid_after(today + day)
        made = builder.add_extension(x509.BasicConstraints(True, None), True).sign(self._key, hashes.SHA256())
        self._der = made.public_bytes(serialization.Encoding.DER)
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def token(self, access: List[Dict[str, Any]], lasting_s: int) -> str:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(self._der).decode()]}
        claims = {"iss": SERVICE, "sub": USER, "aud": SERVICE, "access": access}
        claims.update({"iat": now, "nbf": now - 60, "exp": now + 300, "jti": str(time.monotonic_ns())})
        text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{encode(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@contextmanager
def run_token_registry(folder: Path) -> Iterator["tuple[RegistryServer, FrontServer]"]:
    """Run a registry that wants tokens, and the server that gives them; its `patched` notes the scopes."""
    folder.mkdir()
    signer = Signer(folder / "certificate.pem")
    with run_front("", TokenServer) as tokens:
        tokens.signer = signer  # type: ignore[attr-defined]
        settings = {"realm": f"http://{tokens.host}/token", "service": SERVICE, "issuer": SERVICE}
        auth = {"token": {**settings, "rootcertbundle": str(folder / "certificate.pem")}}
        with run_registry(folder, {"auth": auth}) as registry:
            yield registry, tokens
