from typing import Any

from esteira.monitoring.deployed import Deployed
from esteira.monitoring.signature_columns import columns_of
from esteira.serving.signature import TensorSpec


def model(inputs: Any, outputs: Any) -> Deployed:
    sides = [tuple(TensorSpec(name, dtype, shape) for name, dtype, shape in side) for side in (inputs, outputs)]
    return Deployed("endpoint", "1", "1", "release", (), *sides)


def named(*models: Deployed) -> dict:
    return {column.identifier or f"fixed {column.name}": column.type for column in columns_of(models)[0]}


def test_where_no_model_is_known_the_shipped_ones_columns_serve() -> None:
    expected = {
        "text": "STRING",
        "fixed confidence": "FLOAT64",
        "fixed label": "STRING",
        "probabilities": "ARRAY<FLOAT64>",
    }
    assert named() == expected
    assert named(model([], [])) == expected


def test_columns_are_those_of_all_versions() -> None:
    first = model([("a", "DT_STRING", (None,))], [("x", "DT_INT64", (None,))])
    second = model([("b", "DT_BOOL", (None, 2))], [("x", "DT_FLOAT", (None,)), ("y", "DT_FLOAT", None)])
    assert named(first, second) == {"a": "STRING", "b": "ARRAY<BOOL>", "x": "STRING", "y": "STRING"}
    columns, _ = columns_of([first, second])
    assert [(column.name, column.kind, column.alone, column.always) for column in columns] == [
        ("a", "scalar", True, False),
        ("b", "vector", True, False),
        ("x", "any", True, True),
        ("y", "json", False, False),
    ]


def test_names_that_are_taken_or_odd_are_made_identifiers() -> None:
    inputs = [(name, "DT_STRING", (None,)) for name in ("error", "both", "a b", "a-b", "1st", "A_B", "não")]
    names = named(model(inputs, [("both", "DT_FLOAT", (None,)), ("Label", "DT_INT64", (None,))]))
    assert sorted(names) == sorted(
        ["A_B", "a_b_2", "a_b_3", "c1st", "input_both", "input_error", "n_o", "output_both", "output_Label"]
    )


def test_a_name_that_could_leave_its_quotes_has_no_column() -> None:
    inputs = [(name, "DT_STRING", (None,)) for name in ("text", "a'b", 'a"b', "a\\b", "a\nb", "*")]
    assert list(named(model(inputs, [("x", "DT_FLOAT", (None,))]))) == ["text", "x"]


def test_a_label_of_texts_and_one_of_numbers_are_two() -> None:
    texts = model([("t", "DT_STRING", (None,))], [("label", "DT_STRING", (None,))])
    numbers = model([("t", "DT_STRING", (None,))], [("label", "DT_INT64", (None,)), ("scores", "DT_FLOAT", (None, 3))])
    assert named(texts, numbers) == {
        "t": "STRING",
        "fixed label": "STRING",
        "output_label": "INT64",
        "scores": "ARRAY<FLOAT64>",
    }
    _, labelled = columns_of([texts, numbers])
    assert [column.type for column in labelled.all] == ["STRING", "INT64", "ARRAY<FLOAT64>"]
