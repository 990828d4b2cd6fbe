"""The objects of the stand-in's buckets: asked of the real bucket server, which is told apart from Google here.

What that server does not do as Google does, is done before it: deletions and uploads in pieces honour their
preconditions, an upload in pieces tells how far it has got, and a piece that comes again is not taken twice.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any, Dict, Mapping, Optional
from urllib.parse import quote

from esteira.google.connections import session
from esteira.local.cloud.discovery import discovery
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Handler, Raw, read_body

TIMEOUT_S = 120
# Headers of one connection, which say nothing of the next one.
HOP = {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}
METHODS = ("get", "insert", "list", "delete", "rewrite")
PREFIXES = ("upload/storage/v1/", "resumable/upload/storage/v1/", "download/storage/v1/")
SPAN = re.compile(r"bytes (?:([0-9]+)-([0-9]+)|\*)/([0-9]+|\*)\Z")
GOES_ON = 308


@dataclass
class Session:
    """An upload in pieces: how many bytes are here, and the answer to its last piece."""

    got_bytes: int = 0
    answer: Optional[Raw] = None


@dataclass
class Contents:
    """The bucket server at `url`, which has no slash at its end."""

    url: str
    sessions: Dict[str, Session] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def handlers(self) -> Dict[str, Handler]:
        return {f"storage.objects.{name}": self.answer for name in METHODS}

    def paths(self) -> Dict[str, Handler]:
        return {prefix: self.answer for prefix in PREFIXES}

    def make_bucket(self, name: str) -> None:
        answer = self.ask("POST", "/storage/v1/b", b'{"name": "%s"}' % name.encode(), {})
        if answer.status not in (200, 409):
            raise Refused(answer.status, f"the bucket server does not make {name}: {answer.content!r}")

    def remove_bucket(self, name: str) -> None:
        if b'"name"' in self.ask("GET", f"/storage/v1/b/{name}/o?maxResults=1", b"", {}).content:
            raise Refused(409, "The bucket you tried to delete is not empty.")
        self.ask("DELETE", f"/storage/v1/b/{name}", b"", {})

    def answer(self, call: Call) -> Raw:
        """Return the bucket server's answer to a call."""
        upload = call.parameters.get("upload_id", "")
        if call.http == "PUT" and upload:
            with self.lock:
                return self.take_piece(call, self.sessions.setdefault(upload, Session()))
        check_resource(call)
        if call.http == "DELETE" or call.parameters.get("uploadType") == "resumable":
            self.check_generation(call)
        answer = self.forward(call, call.content)
        return Raw(204, b"", {}) if call.http == "DELETE" and answer.status == 200 else answer

    def take_piece(self, call: Call, known: Session) -> Raw:
        """Answer a piece of an upload, or the question how far it has got."""
        span = SPAN.match(call.headers.get("Content-Range", ""))
        if known.answer:
            return known.answer
        if span is None:
            known.answer = self.forward(call, call.content)
            return known.answer
        if span[1] is None:
            return goes_on(known.got_bytes)
        if int(span[1]) > known.got_bytes:
            raise Refused(400, f"Invalid request. Expected the bytes from {known.got_bytes}, got those from {span[1]}.")
        new = call.content[known.got_bytes - int(span[1]) :]
        if not new:
            return goes_on(known.got_bytes)
        answer = self.forward(call, new, {"Content-Range": f"bytes {known.got_bytes}-{span[2]}/{span[3]}"})
        known.got_bytes += len(new)
        if answer.status == GOES_ON:
            return goes_on(known.got_bytes)
        known.answer = answer
        return answer

    def check_generation(self, call: Call) -> None:
        """Refuse a call that expects another generation of its object."""
        expected = call.parameters.get("ifGenerationMatch")
        if expected is None:
            return
        bucket, name = call.parameters["bucket"], call.parameters.get("object") or new_name(call)
        there = self.ask("HEAD", f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media", b"", {})
        generation = there.headers.get("x-goog-generation", "0") if there.status == 200 else "0"
        if generation != expected:
            raise Refused(412, "At least one of the pre-conditions you specified did not hold.")

    def forward(self, call: Call, content: bytes, changed: Optional[Mapping[str, str]] = None) -> Raw:
        """Return the bucket server's answer, with this server's address in place of its own."""
        headers = {name: value for name, value in call.headers.items() if name.lower() not in HOP}
        headers.update(changed or {})
        path = call.path if not call.path.startswith("/resumable/") else call.path[len("/resumable") :]
        given = self.ask(call.http, path, content, headers)
        here = f"http://{call.headers.get('Host', '')}"
        told = {name: value.replace(self.url, here) for name, value in given.headers.items()}
        is_json = told.get("Content-Type", "").startswith("application/json") and "alt=media" not in call.path
        body = given.content.replace(self.url.encode(), here.encode()) if is_json else given.content
        return Raw(given.status, body, told)

    def ask(self, http: str, path: str, content: bytes, headers: Mapping[str, str]) -> Raw:
        from requests.structures import CaseInsensitiveDict

        # Contents pass as they are, packed or not.
        sent = {"Accept-Encoding": "identity", **headers}
        answer = session(True).request(
            http,
            self.url + path,
            data=content,
            headers=sent,
            stream=True,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
        with answer:
            body = answer.raw.read(decode_content=False)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
        return Raw(answer.status_code, body, CaseInsensitiveDict(kept))


def check_resource(call: Call) -> None:
    """Refuse an upload whose description of the object is none that Google takes."""
    kind = call.parameters.get("uploadType", "")
    if call.method != "storage.objects.insert" or kind not in ("multipart", "resumable") or not call.content:
        return
    described = call.content
    if kind == "multipart":
        head = f"Content-Type: {call.headers.get('Content-Type', '')}\r\n\r\n".encode("latin-1")
        parts: Any = BytesParser().parsebytes(head + call.content).get_payload()
        described = parts[0].get_payload(decode=True) if isinstance(parts, list) else b""
    wrong = list(discovery("storage").faults(read_body(described), {"$ref": "Object"}, ""))
    if wrong:
        raise Refused(400, "\n".join(wrong))


def new_name(call: Call) -> str:
    """Return the name that an upload is for: a parameter, or in the object's description."""
    return str(call.parameters.get("name") or json.loads(call.content)["name"])


def goes_on(got_bytes: int) -> Raw:
    """Return the answer of an upload that is not at its end."""
    return Raw(GOES_ON, b"", {"Range": f"bytes=0-{got_bytes - 1}"} if got_bytes else {})
