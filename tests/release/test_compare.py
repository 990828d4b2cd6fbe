import json
from pathlib import Path
from typing import Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.errors import SettingsError, StateError
from esteira.release.compare import compare_releases, diff_files
from esteira.release.compare_view import coloured, show_comparison
from esteira.release.manifest import Release
from esteira.release.store.folder import FolderStore
from esteira.release.store.interface import Store
from tests.release.handmade_history import FILES, History
from tests.release.test_history_view import lines, printed


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(FolderStore(tmp_path / "bucket"))


def two(history: History) -> "tuple[Release, Release]":
    """Return two releases that differ in the files of modules, in a value, a hyperparameter and a metric."""
    before = history.deploy(commit="a" * 40, modules={**FILES, "modules/old.py": "OLD = 1\n", "modules/gone.py": ""})
    later = {"modules/__init__.py": "", "modules/model.py": "LAYERS = 2\n", "modules/new.py": "OLD = 1\n"}
    after = history.deploy(
        commit="b" * 40, modules=later, values={"training.epochs": 2}, units=16, accuracy=0.9, kind="partial"
    )
    return before, after


def test_equal_releases_differ_in_nothing(history: History) -> None:
    a, b = history.deploy(), history.deploy()
    comparison = compare_releases(history.store, a, b)
    assert all(part.a == part.b for part in comparison.parts)
    assert (comparison.modules, comparison.hyperparameters) == ({}, [])
    assert lines(show_comparison(history.store, None, None, "table"))[4:] == [
        "part",
        "image            equal",
        "job              equal",
        "modules          equal",
        "data             equal",
        "hyperparameters  equal",
        "settings         equal",
        "",
        "metric         A      B       B - A",
        "accuracy       0.812  0.812  +0.000",
        "example_count  1,290  1,290      +0",
        "macro_f1       0.500  0.500  +0.000",
    ]


def test_the_difference_for_people(store: Store) -> None:
    a, b = two(History(store))

    def digests(part: str) -> str:
        return f"{a.parts[part].digest[7:19]} → {b.parts[part].digest[7:19]}"

    assert lines(show_comparison(store, a.id, b.id, "table")) == [
        "   release       when (UTC)           commit   kind     blessed",
        f"A  {a.id}  2026-11-01 00:01:00  aaaaaaa  full     yes",
        f"B  {b.id}  2026-11-01 00:02:00  bbbbbbb  partial  yes",
        "",
        "part",
        "image            equal",
        f"job              {digests('job')}",
        f"modules          {digests('modules')}",
        "data             equal",
        f"hyperparameters  {digests('hyperparameters')}",
        "settings         equal",
        "",
        "part             file",
        "modules          removed  modules/gone.py",
        "modules          changed  modules/model.py",
        "modules          renamed  modules/old.py → modules/new.py",
        "hyperparameters  changed  best.txt",
        "",
        "part  value            A  B",
        "job   training.epochs  8  2",
        "",
        "--- a/modules/model.py",
        "+++ b/modules/model.py",
        "@@ -1 +1 @@",
        "-LAYERS = 1",
        "+LAYERS = 2",
        "",
        "hyperparameter  A   B",
        "values.units    32  16",
        "",
        "metric         A      B       B - A",
        "accuracy       0.812  0.900  +0.088",
        "example_count  1,290  1,290      +0",
        "macro_f1       0.500  0.500  +0.000",
    ]


def test_the_difference_as_json(history: History) -> None:
    a, b = two(history)
    value = json.loads(printed(show_comparison(history.store, None, None, "json"), width=20))
    assert (value["a"], value["b"]) == (a.id, b.id)
    assert value["parts"]["job"]["values"] == {"training.epochs": {"a": 8, "b": 2}}
    assert value["parts"]["data"]["a"] == value["parts"]["data"]["b"] == a.parts["data"].digest
    assert [(file["what"], file["path"], file["was"]) for file in value["parts"]["modules"]["files"]] == [
        ("removed", "modules/gone.py", ""),
        ("changed", "modules/model.py", ""),
        ("renamed", "modules/new.py", "modules/old.py"),
    ]
    assert value["modules"]["modules/model.py"].endswith("@@ -1 +1 @@\n-LAYERS = 1\n+LAYERS = 2\n")
    assert value["hyperparameters"] == {"values.units": {"a": 32, "b": 16}}
    assert value["metrics"]["accuracy"] == {"a": 0.8125, "b": 0.9}
    assert value["metrics"]["macro_f1"] == {"a": 0.5, "b": 0.5}


def test_diffs_are_coloured_on_a_terminal(history: History) -> None:
    from rich.console import Console

    two(history)
    console = Console(force_terminal=True, color_system="standard", width=80, _environ={})
    with console.capture() as capture:
        console.print(show_comparison(history.store, None, None, "table"))
    assert "\x1b[31m-LAYERS = 1\x1b[0m" in capture.get()
    assert "\x1b[32m+LAYERS = 2\x1b[0m" in capture.get()


def test_only_the_head_of_a_diff_is_bold() -> None:
    diff = diff_files({"one": "-- sql\n"}, {"one": "++ more\n"})["one"]
    assert [span.style for span in coloured(diff).spans] == ["bold", "bold", "cyan", "red", "green"]


def test_a_and_b_default_to_what_is_served_and_what_was_before(history: History) -> None:
    first, second = two(history)
    history.deploy(blessed=False, units=4)
    third = history.deploy(units=5)

    def compared(a: "str | None", b: "str | None") -> "tuple[str, str]":
        value = json.loads(str(show_comparison(history.store, a, b, "json")))
        return value["a"], value["b"]

    assert compared(None, None) == (second.id, third.id)
    assert compared(None, second.id) == (first.id, second.id)
    assert compared(first.id[:10], None) == (first.id, third.id)
    assert compared(third.id, first.id) == (third.id, first.id)


def test_the_first_release_has_none_before_it(history: History) -> None:
    with pytest.raises(StateError, match="nothing is deployed yet"):
        show_comparison(history.store, None, None, "table")
    first = history.deploy()
    with pytest.raises(StateError, match=f"none before it to compare it with: it was the first.\n.*A=id B={first.id}"):
        show_comparison(history.store, None, None, "table")
    second = history.deploy(units=2)
    history.store.delete([f"releases/{first.id}/release.json"])
    with pytest.raises(StateError, match=f"release {first.id} is no longer in the history"):
        show_comparison(history.store, None, second.id, "table")


def test_an_unknown_release_is_named_by_its_variable(history: History) -> None:
    history.deploy()
    with pytest.raises(StateError, match="^A=xyz: there is no such release"):
        show_comparison(history.store, "xyz", None, "table")
    with pytest.raises(StateError, match="^B=xyz: there is no such release"):
        show_comparison(history.store, None, "xyz", "table")
    with pytest.raises(SettingsError, match="^FORMAT=yaml: expected table or json. Run: make diff FORMAT=json$"):
        show_comparison(history.store, None, None, "yaml")


def test_a_release_whose_run_failed_has_no_metrics(history: History) -> None:
    history.deploy()
    failed = history.deploy(blessed=False, failed=True)
    shown = lines(show_comparison(history.store, None, failed.id, "table")) if failed.parent else []
    assert "accuracy       0.812" in shown


def test_a_listing_that_is_lost_is_told(history: History) -> None:
    a, b = two(history)
    history.store.delete([f"inputs/{a.parts['job'].digest.split(':')[1]}.json"])
    shown = printed(show_comparison(history.store, a.id, b.id, "table"))
    assert "   (the list of what it was made of is lost)" in shown
    assert "training.epochs" not in shown
    value = json.loads(str(show_comparison(history.store, a.id, b.id, "json")))
    assert [name for name, part in value["parts"].items() if not part["listed"]] == ["job"]


def test_modules_that_are_lost_or_damaged_are_named(history: History) -> None:
    a, b = two(history)
    name = f"modules/{a.parts['modules'].content.split(':')[1]}/modules.py"
    history.store.write(name, b"import os\nos.remove('/')\n")
    with pytest.raises(StateError, match=f"{name}: this is no bundle of modules"):
        show_comparison(history.store, a.id, b.id, "table")
    history.store.delete([name])
    with pytest.raises(StateError, match=f"release {a.id}: .* holds 0 files.\nExpected the one that its modules are"):
        show_comparison(history.store, a.id, b.id, "table")


def test_the_search_space_of_hyperparameters_is_compared_too(history: History) -> None:
    def hyperparameters(low: float, units: int) -> Dict[str, str]:
        space = [{"class_name": "Float", "config": {"name": "rate", "min_value": low, "sampling": "log"}}]
        return {"best.txt": json.dumps({"space": space, "values": {"units": units, "rate": 0.1}})}

    a, b = history.deploy(), history.deploy()
    parts = [history.laid("hyperparameters", hyperparameters(low, units), {}) for low, units in ((0.1, 1), (0.2, 2))]
    a, b = (
        release.copy(update={"parts": {**release.parts, "hyperparameters": part}})
        for release, part in zip((a, b), parts)
    )
    found = compare_releases(history.store, a, b).hyperparameters
    assert [(change.name, change.old, change.new) for change in found] == [
        ("space.rate.min_value", 0.1, 0.2),
        ("values.units", 1, 2),
    ]


def test_hyperparameters_of_another_form_are_compared_as_text(history: History) -> None:
    release = history.deploy()
    part = history.laid("hyperparameters", {"best.txt": "units=3"}, {})
    other = release.copy(update={"parts": {**release.parts, "hyperparameters": part}})
    found = compare_releases(history.store, release, other).hyperparameters
    assert [(change.name, change.old, change.new) for change in found] == [
        ("best.txt", None, "units=3"),
        ("values.units", 32, None),
    ]


def test_a_diff_says_where_a_last_line_does_not_end() -> None:
    assert diff_files({"one": "a\nb"}, {"one": "a\nb\n"}) == {
        "one": "--- a/one\n+++ b/one\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"
    }
    assert diff_files({}, {"one": "a"})["one"] == (
        "--- /dev/null\n+++ b/one\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n"
    )
    assert diff_files({"one": "a\n"}, {})["one"] == "--- a/one\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
    assert diff_files({"one": b"\xff"}, {"one": "a"}) == {"one": "Binary files a/one and b/one differ\n"}


@pytest.mark.programs
@given(
    st.lists(st.sampled_from(["a", "b", "", "\x0c", "é\r"]), max_size=6).map("\n".join),
    st.lists(st.sampled_from(["a", "b", "", "\x0c", "é\r"]), max_size=6).map("\n".join),
)
def test_a_diff_applies(a: str, b: str) -> None:
    """What git makes of A with the diff is B."""
    import tempfile

    from esteira.process import run_program

    diff = diff_files({"one": a}, {"one": b})
    assert bool(diff) == (a != b)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one"
        path.write_bytes(a.encode())
        if diff:
            (Path(folder) / "diff").write_bytes(diff["one"].encode())
            run_program(["git", "apply", "--unidiff-zero", "diff"], cwd=Path(folder))
        assert path.read_bytes() == b.encode()
