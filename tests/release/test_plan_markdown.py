from typing import Any, List

from esteira.release.changes import FileChange, ValueChange
from esteira.release.plan import Plan
from esteira.release.plan_view import show_plan
from tests.release.test_plan_view import NONE, change


def lines(**fields: Any) -> List[str]:
    text = show_plan(Plan(**{**NONE, **fields}), "markdown")
    assert isinstance(text, str)
    return text.splitlines()


def test_nothing_to_do_is_said_in_a_sentence() -> None:
    assert lines() == [
        "### Plan: none",
        "",
        "Commit `ccccccc` against release `123456789abc`. Nothing is to be deployed.",
    ]


def test_changes_stand_in_a_table_whatever_files_are_called() -> None:
    files = [
        FileChange(path="modules/a|b.py", what="renamed", was="modules/@a.py"),
        FileChange(path="modules/<b>\n.py", what="added"),
    ]
    values = [ValueChange(name="data.text_column", old="text", new="ti|tle")]
    changes = [change(files=files), change(part="data", values=values)]
    assert lines(kind="partial", changes=changes, dirty=True)[2:] == [
        "Commit `ccccccc` with changes against release `123456789abc`. No image is built and nothing is compiled.",
        "",
        "| Part | Takes | What changed |",
        "| --- | --- | --- |",
        "| `modules` | partial | renamed `modules/@a.py` -> <code>modules/a&#124;b.py</code><br>"
        "added <code>&#34;modules/&#60;b&#62;&#92;n.py&#34;</code> |".replace("&#34;", '"'),
        '| `data` | partial | `data.text_column` `"text"` -> <code>"ti&#124;tle"</code> |',
    ]


def test_a_long_list_of_changes_is_cut() -> None:
    files = [FileChange(path=f"modules/{number:02}.py", what="changed") for number in range(31)]
    (row,) = [line for line in lines(kind="partial", changes=[change(files=files)]) if line.startswith("| `modules`")]
    assert row.endswith("changed `modules/07.py`<br>and 23 more |")
    assert row.count("<br>") == 8


def test_reasons_and_an_older_commit_are_told() -> None:
    told = lines(kind="full", reasons=["commit 1, which *it* was made of, is lost"], older=True)
    assert told[4:] == [
        "Everything is to be deployed, as commit 1, which &#42;it&#42; was made of, is lost.",
        "",
        "What is deployed is newer than this commit, so that a deploy would bring back an older state and is refused. "
        "To go back to a release: `make rollback`",
    ]


def test_a_commit_that_stands_for_what_is_deployed_is_named() -> None:
    assert lines(parent=None, base="b" * 40)[2] == (
        "Commit `ccccccc` against commit `bbbbbbb`, if that is what is deployed. Nothing is to be deployed."
    )
