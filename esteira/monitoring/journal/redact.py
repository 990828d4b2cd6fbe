"""Taking the texts out of a request and its response before they are written anywhere.

Every text of the request goes, in whichever form it is given, and where the response repeats one, that too.
Labels stay, and of names those that are the model's: of its signature, its inputs, its outputs. What is no JSON goes
as a whole.
"""

import base64
import hashlib
import json
import re
from functools import lru_cache
from typing import Any, Callable, Dict, FrozenSet, Optional, Sequence, Set, Tuple

from esteira.serving.signature import DEFAULT_SIGNATURE

REDACTED = "[redacted]"
# A text of fewer characters is only found where it is all of an output: "a" is in every label.
PART_CHARACTERS = 8
# What is read to find texts in the outputs of one request: some milliseconds.
MAX_READ_CHARACTERS = 10_000_000
SIGNATURE_NAME, PARAMETERS = "signature_name", "parameters"
INSTANCES, INPUTS = "instances", "inputs"

# A string, and the colon after it where it is a name.
STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?')
NO_STRING = re.compile(rb"(?:[-+0-9.eE,{}\[\]\s]|true|false|null|NaN|Infinity)*")

Replace = Callable[[bytes], str]


def redact(
    request: bytes, response: bytes, labels: Tuple[str, ...], rule: str, inputs: Optional[Sequence[str]] = None
) -> Tuple[bytes, bytes]:
    """Return both with every text replaced: by its SHA-256 (rule "hash") or by a word (rule "redact").

    `inputs` are those of the signature serving_default, where they are known. Those of another signature are what the
    request says: it was answered, and a server refuses names that the signature does not have.
    """
    replace = hashed if rule == "hash" else redacted
    taken = Taken(replace, inputs)
    try:
        asked = encode(taken.without_texts(json.loads(request.decode("utf-8"))))
    except (ValueError, RecursionError):
        return encode(replace(request)), encode(replace(response))
    if has_no_texts_but(labels, response):
        return asked, response
    try:
        repeated = Repeated(taken.texts, labels, replace)
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


class Taken:
    """Takes the texts out of a request, and has them in `texts`."""

    def __init__(self, replace: Replace, inputs: Optional[Sequence[str]]) -> None:
        self.texts: Set[str] = set()
        self._replace = replace
        self._inputs = None if inputs is None else frozenset(inputs)

    def without_texts(self, fields: Any) -> Any:
        """Return a request's JSON with its rows, their texts replaced, and the name of the signature that was used.

        Nothing else of it is the model's: all else is left out. Raises ValueError if it is no object.
        """
        if not isinstance(fields, dict):
            raise ValueError("expected an object")
        name = used_signature(fields)
        left: Dict[str, Any] = {}
        if name is not None and name not in ("", DEFAULT_SIGNATURE):
            self._inputs = None
        if name is not None and SIGNATURE_NAME in fields:
            left[SIGNATURE_NAME] = name
        elif name is not None and SIGNATURE_NAME in parameters_of(fields):
            left[PARAMETERS] = {SIGNATURE_NAME: name}
        if INSTANCES in fields:
            rows = fields[INSTANCES]
            left[INSTANCES] = list(map(self._named, rows)) if isinstance(rows, list) else self._value(rows)
        if INPUTS in fields:
            left[INPUTS] = self._named(fields[INPUTS])
        return left

    def _named(self, values: Any) -> Any:
        """Return a row, or columns, by the names of inputs; as a whole if one is another's name."""
        if not isinstance(values, dict) or encoded_in(values) is not None:
            return self._value(values)
        if self._inputs is not None and not self._inputs.issuperset(values):
            return self._whole(values)
        return {name: self._value(value) for name, value in values.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            self.texts.add(value)
            return self._replace(to_bytes(value))
        if isinstance(value, list):
            return [self._value(element) for element in value]
        if isinstance(value, dict):
            encoded = encoded_in(value)
            return self._whole(value) if encoded is None else self._binary(encoded)
        return value

    def _binary(self, encoded: str) -> str:
        """Return what stands for bytes in base64: the same as for the text that they are."""
        self.texts.add(encoded)
        content = content_of(encoded)
        if content is None:
            return self._replace(to_bytes(encoded))
        self.texts.add(as_text(content))
        return self._replace(content)

    def _whole(self, value: Any) -> str:
        """Return what stands for an object whose names are nobody's."""
        self._add_all(value)
        return self._replace(encode(value))

    def _add_all(self, value: Any) -> None:
        if isinstance(value, str):
            self.texts.add(value)
        elif isinstance(value, list):
            for element in value:
                self._add_all(element)
        elif isinstance(value, dict):
            self._binary(encoded_in(value) or "")
            for name, element in value.items():
                self.texts.add(name)
                self._add_all(element)


def used_signature(fields: Dict[str, Any]) -> Optional[str]:
    """Return the name of the signature that is used, None for what is no name; see esteira/serving/request.py."""
    name = {SIGNATURE_NAME: DEFAULT_SIGNATURE, **parameters_of(fields), **fields}[SIGNATURE_NAME]
    return name if isinstance(name, str) else None


def parameters_of(fields: Dict[str, Any]) -> Dict[str, Any]:
    given = fields.get(PARAMETERS)
    return given if isinstance(given, dict) else {}


def encoded_in(value: Dict[str, Any]) -> Optional[str]:
    """Return the base64 of bytes in JSON's form, None if it is not that form."""
    encoded = value.get("b64") if len(value) == 1 else None
    return encoded if isinstance(encoded, str) else None


def content_of(encoded: str) -> Optional[bytes]:
    """Return the bytes of base64, None if it is none; a server takes it without its padding, too."""
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        return None


def as_text(content: bytes) -> str:
    """Return bytes as a text in which other bytes than UTF-8's can be found, too."""
    return content.decode("utf-8", "backslashreplace")


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
        self._all = "\n".join(self._long)
        # What becomes of an output; most of them come again and again.
        self._known: Dict[str, str] = {label: label for label in labels}
        self._read_characters = 0

    def replaced(self, value: Any) -> Any:
        """Return a JSON value with the outputs that repeat a text replaced."""
        if isinstance(value, str):
            if value not in self._known:
                self._known[value] = self._replace(to_bytes(value)) if self._repeats(value) else value
            return self._known[value]
        if isinstance(value, list):
            return [self.replaced(element) for element in value]
        if isinstance(value, dict):
            content = content_of(encoded_in(value) or "")
            if content and self._repeats(as_text(content)):
                return self._replace(content)
            return {key: self.replaced(element) for key, element in value.items()}
        return value

    def _repeats(self, value: str) -> bool:
        """Whether an output has a text in it, or is a part of one; yes where finding out would hold up the server."""
        found = folded(value)
        if found in self._texts:
            return True
        self._read_characters += len(found) * len(self._long) + len(self._all)
        if self._read_characters > MAX_READ_CHARACTERS:
            return True
        return any(text in found for text in self._long) or (len(found) >= PART_CHARACTERS and found in self._all)


def folded(text: str) -> str:
    return " ".join(text.casefold().split())
