"""Reading a user's CSV: what is accepted, and how each fault is told."""

from pathlib import Path
from typing import List

import pytest

from esteira.data.csv_file import CsvFile
from esteira.data.rows import Row
from esteira.errors import DataError
from esteira.settings import DataSettings


def read(path: Path, content: bytes, **columns: str) -> List[Row]:
    path.write_bytes(content)
    return list(CsvFile(path, DataSettings(**columns)).rows())


def fault(path: Path, content: bytes, **columns: str) -> str:
    with pytest.raises(DataError) as caught:
        read(path, content, **columns)
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_reads_each_delimiter_line_end_and_byte_order_mark(path: Path, delimiter: str, newline: str, mark: str) -> None:
    lines = ['"text"{0}id{0}"label"', 'não{0}1{0}"ruim, ""feio"""', "bom{0}2{0}bom"]
    content = mark + newline.join(lines).format(delimiter) + newline
    assert read(path, content.encode()) == [
        Row("não", 'ruim, "feio"', "all", "não"),
        Row("bom", "bom", "all", "bom"),
    ]


def test_prefers_the_delimiter_under_which_the_columns_are_found(path: Path) -> None:
    rows = read(path, b"text;label;a,b,c,d,e\nx;y;1,2,3,4,5\n")
    assert rows == [Row("x", "y", "all", "x")]


def test_folds_line_breaks_and_white_space_within_a_field(path: Path) -> None:
    content = 'text,label\n" um\r\ndois\u2028três\t\xa0 quatro",a\n'
    assert [row.text for row in read(path, content.encode())] == ["um dois três quatro"]


def test_drops_and_counts_blank_texts_and_skips_empty_lines(path: Path) -> None:
    path.write_bytes(b"text,label\nx,a\n\n  ,a\n,\n\ny,b\n")
    file = CsvFile(path, DataSettings())
    assert [row.text for row in file.rows()] == ["x", "y"]
    assert file.blank == 2


def test_takes_slices_from_the_source_column(path: Path) -> None:
    content = b"text,label,site\nx,a,blog\ny,b,\n"
    assert [row.source for row in read(path, content, source_column="site")] == ["blog", "unknown"]


def test_names_numbers_after_their_column_since_csv_example_gen_would_read_numbers(path: Path) -> None:
    rows = read(path, b"text,stars,year\nx,5,2019\ny,1.5,old\n", label_column="stars", source_column="year")
    assert [(row.label, row.source) for row in rows] == [("stars 5", "year 2019"), ("stars 1.5", "old")]


def test_composes_labels_so_that_one_class_is_not_two(path: Path) -> None:
    rows = read(path, "text,label\nx,n\u00e3o\ny,na\u0303o\n".encode())
    assert {row.label for row in rows} == {"n\u00e3o"}


def test_names_bad_rows_by_the_physical_line_where_they_start(path: Path) -> None:
    content = b'text,label\n"two\nlines",a\nonly one\n"three\n\nlines",a,extra\nx,\nok,a\n'
    content += b"bad \xe9 byte,a\nnul\0,a\n"
    assert fault(path, content) == (
        f"{path}: 5 rows cannot be used, so nothing was written.\n"
        "  line 4: has 1 field, expected 2 parted by comma (text, label)\n"
        "  line 5: has 3 fields, expected 2 parted by comma (text, label)\n"
        '  line 8: the label, column "label", is blank\n'
        "  line 10: is not UTF-8: the byte 0xe9 (if the file is Windows-1252: iconv -f CP1252 -t UTF-8)\n"
        "  line 11: holds a NUL byte\n"
        "Mend or remove these lines, then run the command again."
    )


def test_shows_the_first_ten_bad_rows_and_counts_the_rest(path: Path) -> None:
    message = fault(path, b"text,label\n" + b"x,\n" * 25)
    assert message.count("\n  line ") == 10
    assert "25 rows cannot be used" in message
    assert "\n  and 15 more\n" in message


def test_explains_a_quote_that_is_never_closed(path: Path) -> None:
    message = fault(path, b'text,label\nx,a\n"y,b\nz,c\n')
    assert '  line 3: a quote (") is opened and never closed\n' in message


def test_explains_text_after_a_closing_quote_and_reads_on(path: Path) -> None:
    message = fault(path, b'text,label\n"y" z,b\nx\n')
    assert '  line 2: a closing quote (") is followed by text' in message
    assert "  line 3: has 1 field" in message


def test_rejects_a_field_that_csv_example_gen_could_not_read(path: Path) -> None:
    message = fault(path, b"text,label\n" + b"x" * 131_073 + b",a\n")
    assert "  line 2: a field has over 131,072 characters" in message


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b""), "is empty"),
    ],
)
def test_says_what_a_path_is_that_is_no_csv(path: Path, make, expected: str) -> None:  # type: ignore[no-untyped-def]
    make(path)
    with pytest.raises(DataError) as caught:
        CsvFile(path, DataSettings())
    assert str(caught.value) == (
        f"{path}: {expected}. Expected a CSV file with a header and rows, as in DATA=file.csv."
    )


def test_rejects_utf16_with_the_command_that_converts_it(path: Path) -> None:
    assert "is UTF-16. Expected UTF-8. Run: iconv -f UTF-16" in fault(path, "text,label\n".encode("utf-16"))
