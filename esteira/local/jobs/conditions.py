"""Conditions of tasks: the part of CEL that TFX's compiler writes for `tfx.dsl.Cond`.

https://github.com/google/cel-spec/blob/master/doc/langdef.md; what TFX writes stands in
tfx/orchestration/kubeflow/v2/compiler_utils.py: placeholder_to_cel. Numbers are doubles,
as in google.protobuf.Value.
"""

import operator
import re
from typing import Any, Callable, Dict, List, Mapping

from esteira.errors import JobError
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import Scalar
from esteira.local.jobs.tokens import Tokens

TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>-?\d+(\.\d+)?([eE][+-]?\d+)?)|(?P<string>'[^']*'|\"[^\"]*\")"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()+\[\].])"
)
COMPARISONS: Dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}

Inputs = Mapping[str, List[Artifact]]
Parameters = Mapping[str, Scalar]
Evaluate = Callable[[Inputs, Parameters], Any]


def compile_condition(text: str, task: str) -> Callable[[Inputs, Parameters], bool]:
    """Return a condition as a function of a task's inputs.

    Raises JobError, here for what cannot be read, and from the function for an input, a
    property or types that do not fit.
    """
    what = f"task {task}: its condition"
    tokens = Tokens(text, TOKEN, what)
    evaluate = read_any(tokens, what)
    if tokens.current.kind != "end":
        raise tokens.unexpected("&&, || or a comparison")

    def decide(inputs: Inputs, parameters: Parameters) -> bool:
        value = evaluate(inputs, parameters)
        if not isinstance(value, bool):
            raise JobError(f"{what}: is {value!r}; expected true or false: {text}")
        return value

    return decide


def read_any(tokens: Tokens, what: str) -> Evaluate:
    terms = [read_all(tokens, what)]
    while tokens.accept("||"):
        terms.append(read_all(tokens, what))
    return terms[0] if len(terms) == 1 else lambda i, p: any([truth(term(i, p), what) for term in terms])


def read_all(tokens: Tokens, what: str) -> Evaluate:
    terms = [read_comparison(tokens, what)]
    while tokens.accept("&&"):
        terms.append(read_comparison(tokens, what))
    return terms[0] if len(terms) == 1 else lambda i, p: all([truth(term(i, p), what) for term in terms])


def read_comparison(tokens: Tokens, what: str) -> Evaluate:
    left = read_sum(tokens, what)
    sign = tokens.accept(*COMPARISONS)
    if not sign:
        return left
    right = read_sum(tokens, what)
    return lambda i, p: compare(left(i, p), sign, right(i, p), what)


def read_sum(tokens: Tokens, what: str) -> Evaluate:
    terms = [read_unary(tokens, what)]
    while tokens.accept("+"):
        terms.append(read_unary(tokens, what))
    return terms[0] if len(terms) == 1 else lambda i, p: add([term(i, p) for term in terms], what)


def read_unary(tokens: Tokens, what: str) -> Evaluate:
    if tokens.accept("!"):
        inner = read_unary(tokens, what)
        return lambda i, p: not truth(inner(i, p), what)
    if tokens.accept("("):
        inner = read_any(tokens, what)
        tokens.expect(")")
        return inner
    return read_operand(tokens, what)


def read_operand(tokens: Tokens, what: str) -> Evaluate:
    token = tokens.next()
    if token.kind == "number":
        number = float(token.text)
        return lambda i, p: number
    if token.kind == "string":
        text = token.text[1:-1]
        return lambda i, p: text
    if token.text in ("true", "false"):
        flag = token.text == "true"
        return lambda i, p: flag
    if token.text == "inputs":
        tokens.expect(".")
        return read_artifact(tokens, what) if tokens.accept("artifacts") else read_parameter(tokens, what)
    raise tokens.error(f'"{token.text or "its end"}" is not known', token.at)


def read_artifact(tokens: Tokens, what: str) -> Evaluate:
    """Read ['key'].artifacts[0] and then .uri, .name or .metadata['property']."""
    key = read_key(tokens)
    for text in (".", "artifacts", "["):
        tokens.expect(text)
    index = int(tokens.expect_kind("number"))
    tokens.expect("]")
    tokens.expect(".")
    field = tokens.accept("uri", "name")
    if field:
        return lambda i, p: getattr(pick_artifact(i, key, index, what), field)
    tokens.expect("metadata")
    name = read_key(tokens)
    return lambda i, p: pick_property(pick_artifact(i, key, index, what), name, what)


def read_parameter(tokens: Tokens, what: str) -> Evaluate:
    """Read parameter_values['key'], or parameters['key'].string_value and the like."""
    typed = tokens.accept("parameters")
    if not typed:
        tokens.expect("parameter_values")
    key = read_key(tokens)
    if typed:
        tokens.expect(".")
        if not tokens.accept("string_value", "int_value", "double_value"):
            raise tokens.unexpected("string_value, int_value or double_value")

    def evaluate(inputs: Inputs, parameters: Parameters) -> Any:
        if key not in parameters:
            raise JobError(f"{what}: the task has no input parameter {key}.")
        return as_cel(parameters[key])

    return evaluate


def read_key(tokens: Tokens) -> str:
    tokens.expect("[")
    key = tokens.expect_kind("string")[1:-1]
    tokens.expect("]")
    return key


def pick_artifact(inputs: Inputs, key: str, index: int, what: str) -> Artifact:
    artifacts = inputs.get(key, [])
    if index >= len(artifacts):
        raise JobError(f"{what}: the input {key} has no artifact number {index}.")
    return artifacts[index]


def pick_property(artifact: Artifact, name: str, what: str) -> Any:
    if name not in artifact.metadata:
        known = ", ".join(sorted(artifact.metadata)) or "none"
        raise JobError(f"{what}: {artifact.name} has no property {name}; it has: {known}.")
    return as_cel(artifact.metadata[name])


def as_cel(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def compare(left: Any, sign: str, right: Any, what: str) -> bool:
    if type(left) is not type(right):
        raise JobError(f"{what}: compares {left!r} with {right!r}; expected two values of one type.")
    return COMPARISONS[sign](left, right)


def add(values: List[Any], what: str) -> Any:
    if len({type(value) for value in values}) != 1 or not isinstance(values[0], (str, float)):
        raise JobError(f"{what}: adds {values!r}; expected texts only or numbers only.")
    return "".join(values) if isinstance(values[0], str) else sum(values)


def truth(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise JobError(f"{what}: takes {value!r} for a truth value; expected true or false.")
    return value
