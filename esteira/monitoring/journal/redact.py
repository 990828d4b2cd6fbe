"""Taking the texts out of a request and its response before they are written anywhere.

Every text of the request goes, in whichever form it is given, and where the response repeats one, that too.
Labels stay. What is no JSON goes as a whole.
"""

import base64
import binascii
import hashlib
import json
import re
from functools import lru_cache
from typing import Any, Callable, Dict, FrozenSet, Optional, Set, Tuple

REDACTED = "[redacted]"
# A text of fewer characters is only found where it is all of an output: "a" is in every label.
PART_CHARACTERS = 8
# Of outputs with texts in one request: some milliseconds.
MAX_COMPARISONS = 100_000
# What a request has besides its texts: the name of a signature.
SIGNATURE_NAME = "signature_name"

# A string, and the colon after it where it is a name.
STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?')
NO_STRING = re.compile(rb"(?:[-+0-9.eE,{}\[\]\s]|true|false|null|NaN|Infinity)*")

Replace = Callable[[bytes], str]


def redact(request: bytes, response: bytes, labels: Tuple[str, ...], rule: str) -> Tuple[bytes, bytes]:
    """Return both with every text replaced: by its SHA-256 (rule "hash") or by a word (rule "redact")."""
    replace = hashed if rule == "hash" else redacted
    texts: Set[str] = set()
    try:
        asked = encode(without_all_texts(json.loads(request.decode("utf-8")), replace, texts))
    except (ValueError, RecursionError):
        return encode(replace(request)), encode(replace(response))
    if has_no_texts_but(labels, response):
        return asked, response
    try:
        repeated = Repeated(texts, labels, replace)
        return asked, encode(repeated.replaced(json.loads(response.decode("utf-8"))))
    except (ValueError, RecursionError):
        return asked, encode(replace(response))


def hashed(text: bytes) -> str:
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def redacted(text: bytes) -> str:
    return REDACTED


# Made once: json.dumps makes one for each call that is not the usual one.
ENCODER = json.JSONEncoder(separators=(",", ":"))


def encode(value: Any) -> bytes:
    return ENCODER.encode(value).encode("ascii")


def to_bytes(text: str) -> bytes:
    # JSON can hold half of a surrogate pair.
    return text.encode("utf-8", "surrogatepass")


def without_all_texts(fields: Any, replace: Replace, texts: Set[str]) -> Any:
    """Return a request's JSON without texts; the signature's name, a field or a parameter, stays."""
    found = without_texts(fields, replace, texts)
    for given, left in ((fields, found), (parameters_of(fields), parameters_of(found))):
        if isinstance(given, dict) and SIGNATURE_NAME in given:
            left[SIGNATURE_NAME] = given[SIGNATURE_NAME]
    return found


def parameters_of(fields: Any) -> Any:
    return fields.get("parameters") if isinstance(fields, dict) else None


def without_texts(value: Any, replace: Replace, texts: Set[str]) -> Any:
    """Return a JSON value with its texts replaced, and add them to `texts`."""
    if isinstance(value, str):
        texts.add(value)
        return replace(to_bytes(value))
    if isinstance(value, list):
        return [without_texts(element, replace, texts) for element in value]
    if isinstance(value, dict):
        encoded = value.get("b64")
        if len(value) == 1 and isinstance(encoded, str):
            return without_binary(encoded, replace, texts)
        return {key: without_texts(element, replace, texts) for key, element in value.items()}
    return value


def without_binary(encoded: str, replace: Replace, texts: Set[str]) -> str:
    """Return what stands for bytes in base64: the same as for the text that they are."""
    texts.add(encoded)
    try:
        content = base64.b64decode(encoded)
        texts.add(content.decode("utf-8"))
    except UnicodeDecodeError:
        return replace(content)
    except (binascii.Error, ValueError):
        return replace(to_bytes(encoded))
    return replace(content)


def has_no_texts_but(labels: Tuple[str, ...], response: bytes) -> bool:
    """Whether an answer's texts are labels, each of them: it need not be taken apart then, which takes long."""
    known = quoted(labels)
    names_or_labels = all(colon or text in known for text, colon in STRING.findall(response))
    return names_or_labels and NO_STRING.fullmatch(STRING.sub(b"", response)) is not None


@lru_cache(maxsize=64)
def quoted(labels: Tuple[str, ...]) -> FrozenSet[bytes]:
    return frozenset(json.dumps(label)[1:-1].encode("ascii") for label in labels)


class Repeated:
    """Finds the texts of a request in its response, whatever their case and spaces."""

    def __init__(self, texts: Set[str], labels: Tuple[str, ...], replace: Replace) -> None:
        self._replace = replace
        self._texts = {folded(text) for text in texts} - {""}
        self._long = [text for text in self._texts if len(text) >= PART_CHARACTERS]
        # What becomes of an output; most of them come again and again.
        self._known: Dict[str, str] = {label: label for label in labels}
        self._comparisons = 0

    def replaced(self, value: Any) -> Any:
        """Return a JSON value with the outputs that repeat a text replaced."""
        if isinstance(value, str):
            if value not in self._known:
                self._known[value] = self._replace(to_bytes(value)) if self._repeats(value) else value
            return self._known[value]
        if isinstance(value, list):
            return [self.replaced(element) for element in value]
        if isinstance(value, dict):
            text = decoded(value)
            if text is not None and self._repeats(text):
                return self._replace(to_bytes(text))
            return {key: self.replaced(element) for key, element in value.items()}
        return value

    def _repeats(self, value: str) -> bool:
        """Whether an output has a text in it; yes where finding out would hold up the server."""
        found = folded(value)
        self._comparisons += len(self._long)
        too_many = self._comparisons > MAX_COMPARISONS
        return too_many or found in self._texts or any(text in found for text in self._long)


def decoded(value: Dict[str, Any]) -> Optional[str]:
    """Return the text that an output's bytes are, None if it has no bytes or they are none."""
    if list(value) != ["b64"]:
        return None
    try:
        return base64.b64decode(value["b64"]).decode("utf-8")
    except (TypeError, ValueError):
        return None


def folded(text: str) -> str:
    return " ".join(text.casefold().split())
