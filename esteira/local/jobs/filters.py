"""Filters of Vertex ML Metadata, as a resolver's queries hold them.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.metadataStores.artifacts/list
describes them: fields, metadata fields with the type of their value, in_context, AND, OR and NOT.
"""

import operator
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, FrozenSet, Optional, Tuple

from esteira.local.jobs.tokens import Tokens

TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(\.\d+)?([eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z_][\w-]*)|(?P<sign><=|>=|!=|[=<>().])"
)
FIELDS = ("name", "uri", "state", "schema_title")
KINDS: Dict[str, Tuple[type, ...]] = {
    "number_value": (int, float),
    "string_value": (str,),
    "bool_value": (bool,),
}
SIGNS: Dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Candidate:
    """What a filter sees of an artifact. `contexts` holds resource names."""

    fields: Dict[str, str]
    metadata: Dict[str, Any] = field(default_factory=dict)
    contexts: FrozenSet[str] = frozenset()


Matches = Callable[[Candidate], bool]


def compile_filter(text: str, what: str) -> Matches:
    """Return a filter as a function that tells whether an artifact matches it.

    Raises JobError, which begins with `what`, for anything that cannot be read.
    """
    tokens = Tokens(text, TOKEN, what)
    matches = read_terms(tokens)
    if tokens.current.kind != "end":
        raise tokens.unexpected("AND or OR")
    return matches


def read_terms(tokens: Tokens) -> Matches:
    """Read terms joined by AND or by OR.

    Mixing them needs parentheses: languages differ on which of the two binds closer.
    """
    terms = [read_term(tokens)]
    joint = ""
    while tokens.current.text in ("AND", "OR"):
        if joint and tokens.current.text != joint:
            raise tokens.error("mixes AND and OR without parentheses", tokens.current.at)
        joint = tokens.next().text
        terms.append(read_term(tokens))
    if joint == "OR":
        return lambda candidate: any(term(candidate) for term in terms)
    return lambda candidate: all(term(candidate) for term in terms)


def read_term(tokens: Tokens) -> Matches:
    if tokens.accept("NOT"):
        inner = read_term(tokens)
        return lambda candidate: not inner(candidate)
    if tokens.accept("("):
        inner = read_terms(tokens)
        tokens.expect(")")
        return inner
    if tokens.accept("in_context"):
        tokens.expect("(")
        context = unquote(tokens.expect_kind("string"))
        tokens.expect(")")
        return lambda candidate: context in candidate.contexts
    if tokens.accept("metadata"):
        return read_metadata_comparison(tokens)
    name = tokens.accept(*FIELDS)
    if not name:
        raise tokens.unexpected(f'one of {", ".join(FIELDS)}, metadata.x.number_value or in_context("...")')
    return read_field_comparison(tokens, name)


def read_field_comparison(tokens: Tokens, name: str) -> Matches:
    sign = tokens.accept("=", "!=")
    if not sign:
        raise tokens.unexpected("= or !=")
    if tokens.current.kind not in ("string", "word"):
        raise tokens.unexpected("a text in quotes")
    value = unquote(tokens.next().text)
    return lambda candidate: SIGNS[sign](candidate.fields.get(name, ""), value)


def read_metadata_comparison(tokens: Tokens) -> Matches:
    """Read .key.number_value = 1: a key is a word or a quoted text."""
    tokens.expect(".")
    key = unquote(tokens.next().text) if tokens.current.kind == "string" else tokens.expect_kind("word")
    tokens.expect(".")
    kind = tokens.accept(*KINDS)
    if not kind:
        raise tokens.unexpected(" or ".join(KINDS))
    sign = tokens.accept(*SIGNS)
    if not sign:
        raise tokens.unexpected(" or ".join(SIGNS))
    value = read_literal(tokens, kind)
    return lambda candidate: compare(candidate.metadata.get(key), sign, value, kind)


def read_literal(tokens: Tokens, kind: str) -> Any:
    if kind == "number_value":
        return float(tokens.expect_kind("number"))
    if kind == "bool_value":
        word = tokens.accept("true", "false")
        if not word:
            raise tokens.unexpected("true or false")
        return word == "true"
    return unquote(tokens.expect_kind("string"))


def compare(found: Optional[Any], sign: str, value: Any, kind: str) -> bool:
    """Compare a property with a value; one that is absent or of another kind never matches."""
    if not isinstance(found, KINDS[kind]) or (isinstance(found, bool) and kind != "bool_value"):
        return False
    return SIGNS[sign](found, value)


def unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[:1] in ('"', "'") else text
