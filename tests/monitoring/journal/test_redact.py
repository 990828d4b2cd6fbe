"""Texts are taken out of requests and answers before they are written."""

import base64
import hashlib
import json
from typing import Any, Tuple

import pytest

from esteira.monitoring.journal.redact import redact

SECRET = "My name is João and I hated it"
HASH = f"sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}"
LABELS = ("negative", "positive")
ENCODED = {"b64": base64.b64encode(SECRET.encode()).decode()}


def redacted(request: Any, response: Any, rule: str = "redact") -> Tuple[Any, Any]:
    asked, answered = redact(json.dumps(request).encode(), json.dumps(response).encode(), LABELS, rule)
    return json.loads(asked), json.loads(answered)


@pytest.mark.parametrize(
    ("request_body", "left"),
    [
        ({"instances": [{"text": SECRET, "n": 1}, {"text": "", "n": 2.5}]}, None),
        ({"instances": [SECRET, "b"]}, {"instances": ["[redacted]", "[redacted]"]}),
        ({"inputs": {"text": [SECRET, "b"], "n": [1, 2]}}, {"inputs": {"text": ["[redacted]"] * 2, "n": [1, 2]}}),
        ({"inputs": [[SECRET], ["b"]]}, {"inputs": [["[redacted]"], ["[redacted]"]]}),
        ({"instances": [ENCODED, {"text": ENCODED}]}, {"instances": ["[redacted]", {"text": "[redacted]"}]}),
        (
            {"signature_name": "serving_default", "parameters": {"signature_name": "x", "note": "n"}, "instances": []},
            {
                "signature_name": "serving_default",
                "parameters": {"signature_name": "x", "note": "[redacted]"},
                "instances": [],
            },
        ),
        ({"instances": [{"signature_name": SECRET}]}, {"instances": [{"signature_name": "[redacted]"}]}),
        (SECRET, "[redacted]"),
    ],
)
def test_every_text_of_a_request_goes(request_body: Any, left: Any) -> None:
    asked, _ = redacted(request_body, {})
    expected = {"instances": [{"text": "[redacted]", "n": 1}, {"text": "[redacted]", "n": 2.5}]}
    assert asked == (expected if left is None else left)


def test_a_hash_is_the_same_for_the_text_and_its_bytes() -> None:
    asked, _ = redacted({"instances": [SECRET, ENCODED]}, {}, "hash")
    assert asked == {"instances": [HASH, HASH]}


def test_labels_and_numbers_stay() -> None:
    response = {"predictions": [{"label": "positive", "confidence": 0.25, "probabilities": [0.75, 1e-9]}]}
    # Who writes a label as a text is told its label all the same.
    assert redacted({"instances": ["positive"]}, response)[1] == response


@pytest.mark.parametrize(
    "repeated", [SECRET, SECRET.upper(), f"  {SECRET}\n", f"You wrote: {SECRET}!", [[SECRET]], {"b64": ENCODED["b64"]}]
)
def test_what_an_output_repeats_goes(repeated: Any) -> None:
    _, answered = redacted(
        {"instances": [{"text": SECRET}]}, {"predictions": [{"echo": repeated, "label": "negative"}]}
    )
    assert SECRET.casefold() not in json.dumps(answered, ensure_ascii=False).casefold()
    assert answered["predictions"][0]["label"] == "negative"


@pytest.mark.parametrize(
    ("response", "is_kept"),
    [
        ('{"predictions": [{"label": "negative", "p": [1e-9, NaN, -Infinity], "ok": true, "none": null}]}', True),
        ('{"label": "neg\\u0061tive"}', True),
        (f'{{"label": {SECRET}}}', False),
        (f'"negative" {SECRET} "negative"', False),
        (f'{{"label": "negative", "echo": "{SECRET}"}}', False),
        (f'{{"echo": "\\"{SECRET}"}}', False),
        (f'{{"label": "negative", "label": "{SECRET}"}}', False),
        (f'{{"label": "negative{SECRET}', False),
    ],
)
def test_only_an_answer_without_texts_of_its_own_is_left_as_it_is(response: str, is_kept: bool) -> None:
    request = json.dumps({"instances": [SECRET]}).encode()
    _, answered = redact(request, response.encode(), LABELS, "redact")
    assert SECRET not in answered.decode()
    if is_kept:
        assert str(json.loads(answered)) == str(json.loads(response))


def test_a_short_text_takes_no_output_with_it() -> None:
    assert redacted({"instances": ["a"]}, {"predictions": ["banana", "a"]})[1] == {
        "predictions": ["banana", "[redacted]"]
    }


UNREADABLE = [b"My name", b'{"instances": ["a', b"\xff\xfe", b"[" * 100_000 + b"x"]


@pytest.mark.parametrize("body", UNREADABLE, ids=["a text", "torn", "no UTF-8", "deep"])
def test_what_cannot_be_read_goes_as_a_whole(body: bytes) -> None:
    assert redact(body, b'{"predictions": ["My name"]}', LABELS, "redact") == (b'"[redacted]"', b'"[redacted]"')
    assert redact(b'{"instances": ["a"]}', body, LABELS, "redact") == (b'{"instances":["[redacted]"]}', b'"[redacted]"')


def test_half_of_a_surrogate_pair_is_hashed() -> None:
    asked, _ = redact(b'{"instances": ["\\ud83d"]}', b"{}", LABELS, "hash")
    assert json.loads(asked) == {"instances": [f"sha256:{hashlib.sha256(bytes([0xED, 0xA0, 0xBD])).hexdigest()}"]}


def test_many_texts_that_an_output_may_repeat_take_no_long_search() -> None:
    texts = [f"a text of some length, number {number}" for number in range(4000)]
    outputs = [f"<{text}>" for text in texts]
    _, answered = redacted({"instances": texts}, {"predictions": outputs})
    assert answered == {"predictions": ["[redacted]"] * 4000}
