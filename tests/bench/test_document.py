"""The figures in docs are those of bench/results, in the table and wherever they are quoted."""

import re
from pathlib import Path

import pytest

from bench.document import (
    BEGIN,
    END,
    QUOTED,
    TABLE,
    documents,
    line,
    render,
    rows,
    shown,
    stale,
    with_quotes,
    with_table,
)
from bench.form import BENCHES, OURS, case_of, read_reports
from tests.bench.test_form import report_of
from tests.conftest import REPOSITORY


def test_docs_show_the_figures_of_the_results() -> None:
    changed = [path.name for path in stale(REPOSITORY, read_reports())]
    assert changed == [], "Run: make bench-docs"


def test_the_table_has_a_row_for_each_ratio_and_for_what_stands_alone() -> None:
    report = report_of()
    assert list(rows(report)) == [
        ["[run](#run)", "the whole job", "2.00 s", "8.00 s: another", "4.0", "3", "2026-01-02"],
    ]
    alone = report_of(cases=[report.cases[0]], ratios=[])
    assert list(rows(alone)) == [["[run](#run)", "the whole job", "2.00 s", "", "", "3", "2026-01-02"]]


def test_every_row_has_the_columns_of_the_table() -> None:
    table = render(read_reports()).split("\n\n")[0].splitlines()
    assert table[0] == line(["bench", "case", "ours", "the other way", "ratio", "rounds", "date"])
    assert {row.count(" | ") for row in table if not row.startswith("| ---")} == {6}
    assert {match.group(1) for row in table[2:] for match in [re.match(r"\| \[(\w+)]", row)] if match} == set(BENCHES)


def test_the_machine_and_what_it_measured_are_told() -> None:
    text = render([report_of()])
    assert "- a processor, 2 cores, 16 GiB, Python 3.8.18: run (load 0.1 before it began)" in text


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    new = with_table(text, [report_of()])
    assert new.startswith(f"before\n{BEGIN}\n| bench |") and new.endswith(f"\n{END}\nafter\n") and "old" not in new
    assert with_table(new, [report_of()]) == new
    assert with_table("no marks\n", [report_of()]) == "no marks\n"


@pytest.mark.parametrize(
    ("what", "figure"),
    [
        ("run/the whole job/ours", "2.00 s"),
        ("run/the whole job/another", "8.00 s"),
        ("run/the whole job/times", "4.0"),
        ("run/the whole job/another/times", "4.0"),
    ],
)
def test_a_quoted_figure_is_the_one_that_was_measured(what: str, figure: str) -> None:
    text = f"It takes <!-- bench {what} -->long<!-- / -->, that is all."
    expected = f"It takes <!-- bench {what} -->{figure}<!-- / -->, that is all."
    assert with_quotes(text, [report_of()], "README.md") == expected


@pytest.mark.parametrize("what", ["run/another job/ours", "run/the whole job/nobody", "walk/the whole job/ours", "run"])
def test_a_quoted_figure_that_nobody_measured_is_an_error(what: str) -> None:
    with pytest.raises(SystemExit, match="README.md: <!-- bench .* -->: no such figure in bench/results/"):
        with_quotes(f"<!-- bench {what} -->1<!-- / -->", [report_of()], "README.md")


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.12 s"), (12.34, "12.3 s"), (123.4, "123 s"), (1234.5, "1,234 s")]
)
def test_a_value_is_shown_with_the_digits_that_count(value: float, text: str) -> None:
    assert shown(case_of("a", OURS, [value])) == text


def test_the_front_page_quotes_figures_and_writes_none_by_hand() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert QUOTED.findall(text)
    by_hand = QUOTED.sub("", text)
    assert re.findall(r"\b[\d.,]+ (?:s|ms|requests/s)\b|[\d.]+ times (?:as|faster)", by_hand) == [], (
        "Quote: bench/document.py"
    )


def test_the_table_stands_in_one_document() -> None:
    assert [path for path in documents(REPOSITORY) if BEGIN in Path(path).read_text(encoding="utf-8")] == [TABLE]
