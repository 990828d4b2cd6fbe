"""Finding the wanted columns in a header."""

import io
from pathlib import Path

import pytest

from esteira.data.header import read_header
from esteira.errors import DataError
from esteira.settings import DataSettings


def header_fault(text: str, **columns: str) -> str:
    with pytest.raises(DataError) as caught:
        read_header(Path("file.csv"), io.StringIO(text, newline=""), DataSettings(**columns))
    return str(caught.value)


def test_finds_the_columns_and_leaves_the_stream_at_its_start() -> None:
    stream = io.StringIO('id;"o\ntexto";label;site\n1;2;3;4\n', newline="")
    header = read_header(Path("file.csv"), stream, DataSettings(text_column="o texto", source_column="site"))
    assert (header.delimiter, header.text, header.label, header.source) == (";", 1, 2, 3)
    assert stream.read(2) == "id"


def test_a_missing_column_lists_those_found_with_a_suggestion_and_what_to_set() -> None:
    assert header_fault("text,Labels\n") == (
        'file.csv: has no column "label" (data.label_column). Found: "text", "Labels". '
        'Perhaps you meant "Labels".\n'
        'Set label_column = "Labels" under [data] in esteira.toml, or ESTEIRA_DATA_LABEL_COLUMN="Labels".'
    )


def test_all_missing_columns_are_told_at_once() -> None:
    message = header_fault("a,b\n", source_column="c")
    assert all(f"(data.{key})" in message for key in ("text_column", "label_column", "source_column"))


def test_a_wanted_column_that_is_there_twice_is_a_fault() -> None:
    assert header_fault("text,label,text\n") == (
        'file.csv: has 2 columns "text" (data.text_column). Expected one. Rename the others.'
    )


def test_one_column_cannot_be_text_and_label() -> None:
    assert 'text and label are both read from "x"' in header_fault("x,y\n", text_column="x", label_column="x")


def test_a_wrong_number_of_fields_is_told_with_the_names() -> None:
    header = read_header(Path("file.csv"), io.StringIO("text;label\n", newline=""), DataSettings())
    assert header.wrong_count(3) == "has 3 fields, expected 2 parted by semicolon (text, label)"
