import re
from collections import Counter
from pathlib import Path

import pytest

from esteira.errors import TemplateError
from esteira.reference import pages
from esteira.reference.markdown import anchor
from esteira.reference.pages import FOLDER, PAGES, check_pages, render_pages, write_pages
from tests.reference.conftest import append


def test_what_is_written_passes_the_check_and_is_not_written_again(root: Path) -> None:
    write_pages(root)
    check_pages(root)
    before = {path: path.stat().st_mtime_ns for path in (root / FOLDER).iterdir()}
    assert {path.name for path in before} == set(PAGES)
    write_pages(root)
    assert {path: path.stat().st_mtime_ns for path in (root / FOLDER).iterdir()} == before


def test_a_page_that_was_edited_is_told_with_the_difference(root: Path) -> None:
    write_pages(root)
    append(root / FOLDER / "metrics.md", "by hand\n")
    with pytest.raises(TemplateError) as error:
        check_pages(root)
    told = str(error.value)
    assert told.startswith("docs/reference/metrics.md: is not what the code gives.\n")
    assert "-by hand" in told and told.endswith("Run: make generate")


def test_a_page_that_nothing_makes_is_told(root: Path) -> None:
    write_pages(root)
    (root / FOLDER / "more.md").write_text("# More\n")
    with pytest.raises(TemplateError, match=r"^docs/reference/more\.md: is made by nothing\. Remove it\.\n"):
        check_pages(root)


def test_all_that_is_missing_is_told_at_once_and_nothing_is_written(root: Path) -> None:
    append(root / "Makefile", "\nnameless:\n\t@true\n")
    append(root / "esteira" / "errors.py", "\n\nclass NewError(EsteiraError):\n    exit_code = 99\n")
    with pytest.raises(TemplateError) as error:
        write_pages(root)
    assert str(error.value) == (
        "Makefile: nameless: has no description. Expected nameless: ## what it does\n"
        "Write it, then run: make generate\n"
        "esteira/errors.py: NewError: has no description. "
        "Expected a docstring whose first paragraph says what it means\n"
        "esteira/errors.py: NewError: has no description. "
        'Expected a paragraph of its docstring that begins with "Next:"\n'
        "Write it, then run: make generate"
    )
    assert not (root / FOLDER).exists()


def test_a_template_with_an_unknown_name_is_told_with_its_line(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = root / "esteira" / "reference"
    monkeypatch.setattr(pages, "TEMPLATES", folder)
    (folder / "metrics.md.j2").write_text("# Metrics\n{{ nothing_of_the_kind }}\n")
    with pytest.raises(TemplateError) as error:
        render_pages(root)
    assert str(error.value) == "esteira/reference/metrics.md.j2:2: 'nothing_of_the_kind' is undefined"


def test_no_two_headings_of_a_page_have_one_anchor(root: Path) -> None:
    for path, text in render_pages(root).items():
        anchors = Counter(anchor(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE))
        assert [name for name, count in anchors.items() if count > 1] == [], path


def test_a_row_of_a_table_has_as_many_cells_as_its_head(root: Path) -> None:
    for path, text in render_pages(root).items():
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            cells = {len(re.split(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(cells) == 1, (path, table)
