"""Texts are taken out of requests and answers before they are written."""

import base64
import hashlib
import json
from contextlib import suppress
from typing import Any, Dict, Iterator, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ({"instances": [{"signature_name": SECRET}]}, {"instances": [{"signature_name": "[redacted]"}]}),
        (SECRET, "[redacted]"),
        ([SECRET], "[redacted]"),
        ({"instances": SECRET, "other": SECRET}, {"instances": "[redacted]"}),
        ({"instances": [{"text": {SECRET: 1}}]}, {"instances": [{"text": "[redacted]"}]}),
        ({"instances": [{"text": {"b64": {SECRET: 1}}}]}, {"instances": [{"text": "[redacted]"}]}),
        ({"instances": [[{"n": SECRET}]], "inputs": SECRET}, {"instances": [["[redacted]"]], "inputs": "[redacted]"}),
    ],
)
def test_every_text_of_a_request_goes(request_body: Any, left: Any) -> None:
    asked, _ = redacted(request_body, {})
    expected = {"instances": [{"text": "[redacted]", "n": 1}, {"text": "[redacted]", "n": 2.5}]}
    assert asked == (expected if left is None else left)


@pytest.mark.parametrize(
    ("beside", "left"),
    [
        ({"signature_name": "examples", "parameters": {"signature_name": SECRET}}, {"signature_name": "examples"}),
        ({"signature_name": "", "parameters": {SECRET: 1}}, {"signature_name": ""}),
        ({"parameters": {"signature_name": "x", "note": "n", "n": 5}}, {"parameters": {"signature_name": "x"}}),
        ({"parameters": {"note": SECRET, SECRET: "n"}}, {}),
        ({"parameters": None}, {}),
        ({"parameters": SECRET}, {}),
        ({"parameters": {"signature_name": {SECRET: SECRET}}}, {}),
        ({"signature_name": [SECRET], "parameters": {"signature_name": SECRET}}, {}),
    ],
)
def test_the_name_of_the_signature_stays_where_it_was_used_and_nothing_else_beside_rows(beside: Any, left: Any) -> None:
    assert redacted({**beside, "instances": ["a"]}, {})[0] == {**left, "instances": ["[redacted]"]}


def test_names_stay_that_are_those_of_inputs() -> None:
    body = json.dumps({"instances": [{"text": SECRET}, {"text": "a", SECRET: 1}], "inputs": {SECRET: [1]}}).encode()
    asked, answered = redact(body, json.dumps([SECRET]).encode(), LABELS, "redact", ["text"])
    left = {"instances": [{"text": "[redacted]"}, "[redacted]"], "inputs": "[redacted]"}
    assert (json.loads(asked), json.loads(answered)) == (left, ["[redacted]"])
    # A server refuses what the signature that is named has not.
    other = json.dumps({"signature_name": "examples", "inputs": {"examples": [SECRET]}}).encode()
    asked, _ = redact(other, b"{}", LABELS, "redact", ["text"])
    assert json.loads(asked) == {"signature_name": "examples", "inputs": {"examples": ["[redacted]"]}}


def test_a_hash_is_the_same_for_the_text_and_its_bytes() -> None:
    asked, _ = redacted({"instances": [SECRET, ENCODED]}, {}, "hash")
    assert asked == {"instances": [HASH, HASH]}


def test_labels_and_numbers_stay() -> None:
    response = {"predictions": [{"label": "positive", "confidence": 0.25, "probabilities": [0.75, 1e-9]}]}
    # Who writes a label as a text is told its label all the same.
    assert redacted({"instances": ["positive"]}, response)[1] == response


@pytest.mark.parametrize(
    "repeated",
    [
        *(SECRET, SECRET.upper(), f"  {SECRET}\n", f"You wrote: {SECRET}!", [[SECRET]], {"b64": ENCODED["b64"]}),
        *(SECRET[3:-5], {"b64": base64.b64encode(b"\xff" + SECRET.encode()).decode()}),
    ],
)
def test_what_an_output_repeats_goes(repeated: Any) -> None:
    _, answered = redacted(
        {"instances": [{"text": SECRET}]}, {"predictions": [{"echo": repeated, "label": "negative"}]}
    )
    assert answered == {"predictions": [{"echo": marked(repeated), "label": "negative"}]}


def marked(value: Any) -> Any:
    return [marked(element) for element in value] if isinstance(value, list) else "[redacted]"


@pytest.mark.parametrize("encoded", [ENCODED["b64"], ENCODED["b64"].rstrip("=")])
def test_what_an_output_repeats_of_bytes_goes_with_padding_and_without(encoded: str) -> None:
    assert redacted({"instances": [{"b64": encoded}]}, {"predictions": [SECRET]})[1] == {"predictions": ["[redacted]"]}


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


# No secret is a part of what is written anyhow.
SECRETS = st.text('XYZ #ÇЯ🎉\\"/\n', min_size=8, max_size=20)
VALUES = st.recursive(
    st.one_of(SECRETS, st.sampled_from(["a", "", "text", "b64"]), st.none(), st.booleans(), st.integers(), st.floats()),
    lambda values: st.one_of(
        st.lists(values, max_size=3),
        st.dictionaries(st.one_of(SECRETS, st.sampled_from(["text", "b64", "signature_name"])), values, max_size=3),
        SECRETS.map(lambda text: {"b64": base64.b64encode(text.encode()).decode()}),
        SECRETS.map(lambda text: {"b64": base64.b64encode(text.encode()).decode().rstrip("=")}),
    ),
    max_leaves=12,
)
NAMES = {"instances", "parameters", "signature_name", "serving_default"}
ROWS = st.one_of(VALUES, st.lists(st.one_of(VALUES, st.fixed_dictionaries({"text": VALUES})), max_size=3))
BODIES = st.one_of(
    VALUES,
    st.fixed_dictionaries({"instances": ROWS, "other": VALUES}),
    st.fixed_dictionaries({"inputs": ROWS, "signature_name": st.just("serving_default"), "parameters": VALUES}),
    st.fixed_dictionaries({"instances": ROWS, "inputs": ROWS, "signature_name": st.lists(VALUES)}),
)


@settings(max_examples=200, deadline=None)
@given(body=BODIES, rule=st.sampled_from(["hash", "redact"]), ascii_only=st.booleans())
def test_no_text_is_left_wherever_it_stood(body: Any, rule: str, ascii_only: bool) -> None:
    body = without_names_of_signatures(body)
    secrets = {text for text in texts_in(body) if len(" ".join(text.split())) >= 8} - NAMES
    rows = [body.get("instances"), body.get("inputs")] if isinstance(body, dict) else []
    echoes = [{"echo": [text, f"<{text}>", as_base64(text)], "label": "negative"} for text in texts_in(rows)]
    asked, answered = redact(
        json.dumps(body, ensure_ascii=ascii_only).encode(),
        json.dumps({"predictions": echoes}).encode(),
        LABELS,
        rule,
        ["text", "signature_name", "b64"],
    )
    left = [*texts_in(json.loads(asked)), *texts_in(json.loads(answered))]
    assert [(secret, text) for secret in secrets for text in left if secret in text] == []


def without_names_of_signatures(body: Any) -> Any:
    """A name that a signature has not is refused: what was answered names one that the model has."""
    if isinstance(body, dict) and isinstance(body.get("signature_name"), str):
        return {**body, "signature_name": "serving_default"}
    given = body.get("parameters") if isinstance(body, dict) else None
    if isinstance(given, dict) and "signature_name" not in body and isinstance(given.get("signature_name"), str):
        return {**body, "parameters": {**given, "signature_name": "serving_default"}}
    return body


def texts_in(value: Any) -> Iterator[str]:
    """Yield the texts of a JSON value, names and what stands in base64 among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for element in value:
            yield from texts_in(element)
    elif isinstance(value, dict):
        if list(value) == ["b64"] and isinstance(value["b64"], str):
            with suppress(ValueError):
                yield base64.b64decode(value["b64"] + "==").decode("utf-8")
        for name, element in value.items():
            yield name
            yield from texts_in(element)


def as_base64(text: str) -> Dict[str, str]:
    return {"b64": base64.b64encode(text.encode()).decode()}
