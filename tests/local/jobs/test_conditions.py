import pytest

from esteira.errors import JobError
from esteira.local.jobs.conditions import compile_condition
from esteira.local.jobs.result import Artifact

INPUTS = {"_Count.result": [Artifact("n/1", "tfx.Integer", "/x", {"size": 7, "note": "good"})]}
SIZE = "inputs.artifacts['_Count.result'].artifacts[0].metadata['size']"
NOTE = "inputs.artifacts['_Count.result'].artifacts[0].metadata['note']"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"({SIZE} > 5.0)", True),
        (f"({SIZE} < 5.0)", False),
        (f"!(({SIZE} == 7.0))", False),
        (f"(({SIZE} > 5.0) && ({NOTE} == 'good'))", True),
        (f"(({SIZE} > 50.0) || ({NOTE} == 'good'))", True),
        (f"({SIZE} > 5.0) && ({NOTE} == 'bad')", False),
        ("(inputs.artifacts['_Count.result'].artifacts[0].uri == '/x')", True),
        (f"(({NOTE} + '!') == 'good!')", True),
        ("inputs.parameter_values['n'] == 2.0", True),
        ("inputs.parameters['t'].string_value != 'a'", True),
    ],
)
def test_conditions_are_decided_as_cel_does(text: str, expected: bool) -> None:
    assert compile_condition(text, "OnlyIf")(INPUTS, {"n": 2, "t": "b"}) is expected


@pytest.mark.parametrize(
    "text",
    [
        "Unknown Comparison Operation 9",
        "inputs.artifacts['x']",
        "size(x) > 1",
        "(1.0 == 1.0",
        "1.0 ? 2.0 : 3.0",
    ],
)
def test_what_the_parser_does_not_know_is_an_error(text: str) -> None:
    with pytest.raises(JobError, match=r"^task OnlyIf: its condition: "):
        compile_condition(text, "OnlyIf")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"({SIZE} == '7')", "compares 7.0 with '7'; expected two values of one type"),
        (SIZE, "is 7.0; expected true or false"),
        (SIZE.replace("size", "ghost"), "n/1 has no property ghost; it has: note, size"),
        (SIZE.replace("_Count", "_Other"), "the input _Other.result has no artifact number 0"),
    ],
)
def test_what_cannot_be_decided_is_an_error(text: str, message: str) -> None:
    with pytest.raises(JobError, match=message):
        compile_condition(text, "OnlyIf")(INPUTS, {})
