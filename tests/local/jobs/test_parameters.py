import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.errors import JobError
from esteira.local.jobs.parameters import bind_parameters, format_value, read_value, write_value


@given(st.one_of(st.integers(-(2**62), 2**62), st.floats(allow_nan=False), st.text()))
def test_a_value_survives_being_written_and_read(value: object) -> None:
    assert read_value(write_value(value), "x") == value  # type: ignore[arg-type]


def test_every_fault_of_the_parameters_is_reported_at_once() -> None:
    declared = {"a": {"type": "STRING"}, "b": {"type": "INT"}, "c": {"type": "STRING"}}
    with pytest.raises(JobError) as caught:
        bind_parameters(declared, {"b": {"stringValue": "six"}}, {"d": "x"})
    assert str(caught.value) == (
        "job.runtimeConfig: d: the job has no such parameter. It has: a, b, c.\n"
        "job.runtimeConfig: a: has no value. Expected STRING: pass parameterValues.a.\n"
        "job.runtimeConfig: b: is 'six'; expected INT.\n"
        "job.runtimeConfig: c: has no value. Expected STRING: pass parameterValues.c."
    )


def test_defaults_hold_where_nothing_is_passed() -> None:
    declared = {"a": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3.0}, "b": {"type": "DOUBLE"}}
    assert bind_parameters(declared, {}, {"b": 2}) == {"a": 3, "b": 2.0}


def test_values_in_command_lines() -> None:
    assert [format_value(value) for value in ("x", 6, 0.5, True)] == ["x", "6", "0.5", "1"]
