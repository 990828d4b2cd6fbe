"""What is told of an object's content, and how it is sent."""

import io
import json
from email import message_from_bytes

import pytest

from esteira.release.store.content import content_in, content_of, content_type, multipart, told_crc32c


def test_the_checksum_is_the_one_that_google_gives() -> None:
    """https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4: 32 bytes of zeros have the CRC32C 8a9136aa."""
    assert content_of(io.BytesIO(bytes(32))) == (32, "ipE2qg==")
    assert content_of(io.BytesIO(b"")) == (0, "AAAAAA==")
    assert content_in({"size": "32", "crc32c": "ipE2qg=="}) == (32, "ipE2qg==")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ==", "n03x6A=="),
        ("md5=Ojk9c3dhfxgoKVVHYwFbHQ==, crc32c=n03x6A==", "n03x6A=="),
        ("md5=Ojk9c3dhfxgoKVVHYwFbHQ==", ""),
        ("", ""),
    ],
)
def test_the_checksum_is_found_in_its_header(header: str, expected: str) -> None:
    assert told_crc32c(header) == expected


def test_an_upload_s_two_parts_are_the_object_and_its_content() -> None:
    resource = {"name": "sentiment/é.json", "crc32c": "n03x6A=="}
    content = b'{"a": 1}\r\n--\r\n\x00\xff'
    body, kind = multipart(resource, content)
    parts = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).get_payload()
    assert [part.get_content_type() for part in parts] == ["application/json"] * 2
    assert json.loads(parts[0].get_payload(decode=True)) == resource
    boundary = kind.partition("=")[2].encode()
    assert body.endswith(b"\r\n\r\n" + content + b"\r\n--" + boundary + b"--\r\n")


def test_what_has_no_known_ending_is_bytes() -> None:
    assert content_type("data/train.csv") == "text/csv; charset=utf-8"
    assert content_type("releases/1/current") == "text/plain; charset=utf-8"
    assert content_type("model.pb") == "application/octet-stream"
