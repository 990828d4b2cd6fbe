import json
from typing import Any, Dict, List

import pytest
from rich.console import Console

from esteira.errors import SettingsError
from esteira.release.changes import Change, FileChange, ValueChange
from esteira.release.plan import Plan
from esteira.release.plan_view import show_plan

OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
NONE: Dict[str, Any] = {
    **{"kind": "none", "reasons": [], "changes": [], "parts": {"modules": NEW}, "commit": "c" * 40},
    **{"dirty": False, "parent": "123456789abc", "generation": 7, "older": False},
}


def change(**fields: Any) -> Change:
    return Change(**{"part": "modules", "kind": "partial", "old": OLD, "new": NEW, **fields})


def printed(**fields: Any) -> List[str]:
    console = Console(soft_wrap=True, width=110, highlight=False)
    with console.capture() as capture:
        console.print(show_plan(Plan(**{**NONE, **fields}), "table"), markup=False)
    return capture.get().split("\n")[:-1]


def test_nothing_to_do_is_said_with_what_to_type_all_the_same() -> None:
    assert printed() == [
        "none: commit ccccccc against release 123456789abc",
        "",
        "Nothing to deploy. To run it again all the same: make deploy FORCE=1",
    ]


def test_a_partial_plan_shows_parts_digests_and_changes() -> None:
    files = [
        FileChange(path="modules/[red]b.py", what="renamed", was="modules/a.py"),
        FileChange(path="modules/line\nbreak\udcff", what="added"),
    ]
    values = [
        ValueChange(name="data.text_column", old="text", new="title"),
        ValueChange(name="csv", old=None, new=NEW),
    ]
    changes = [change(files=files), change(part="data", values=values), change(part="settings", lost=True, new=OLD)]
    assert printed(kind="partial", changes=changes, dirty=True) == [
        "partial: commit ccccccc with changes against release 123456789abc",
        "",
        "part      deployed      here          takes    what changed",
        "modules   aaaaaaaaaaaa  bbbbbbbbbbbb  partial  renamed modules/a.py -> modules/[red]b.py",
        '                                               added "modules/line\\nbreak\\udcff"',
        'data      aaaaaaaaaaaa  bbbbbbbbbbbb  partial  data.text_column "text" -> "title"',
        "                                               csv (none) -> bbbbbbbbbbbb",
        "settings  aaaaaaaaaaaa  aaaaaaaaaaaa  partial  gone from the store",
        "",
        "Next: make deploy, which builds no image and compiles nothing",
    ]


def test_a_full_plan_says_why() -> None:
    lines = printed(kind="full", reasons=["nothing is deployed yet"], parent=None, commit="", dirty=True)
    assert lines[0] == "full: no commit yet with changes against no release"
    assert lines[1] == "everything, as nothing is deployed yet"


def test_many_changes_are_cut() -> None:
    files = [FileChange(path=f"modules/{number}", what="changed") for number in range(2000)]
    lines = [line.strip() for line in printed(kind="partial", changes=[change(files=files)])]
    assert lines[10:] == ["changed modules/7", "and 1,992 more", "", lines[-1]]


def test_an_older_commit_is_warned_of() -> None:
    assert printed(kind="partial", changes=[change()], older=True)[-2:] == [
        "The deployed commit is newer than this one, so that a deploy would bring back an older state.",
        "To go back to a release: make rollback    To deploy this all the same: make deploy FORCE=1",
    ]


def test_a_long_path_stays_in_one_line() -> None:
    path = f"modules/{'deep/' * 60}model.py"
    lines = printed(kind="partial", changes=[change(files=[FileChange(path=path, what="changed")])])
    assert lines[3] == f"modules  aaaaaaaaaaaa  bbbbbbbbbbbb  partial  changed {path}"


def test_where_an_older_commit_changes_nothing_there_is_nothing_to_deploy() -> None:
    assert printed(older=True) == printed()


def test_scripts_get_json_or_a_word() -> None:
    plan = Plan(**{**NONE, "kind": "partial", "changes": [change(files=[FileChange(path="\udcff", what="added")])]})
    assert show_plan(plan, "word") == "partial"
    text = str(show_plan(plan, "json"))
    assert Plan(**json.loads(text)) == plan
    assert text.isascii()


def test_another_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError) as caught:
        show_plan(Plan(**NONE), "xml")
    assert str(caught.value) == ("FORMAT=xml: expected table, json, markdown or word. Run: make plan FORMAT=json")
