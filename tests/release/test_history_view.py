import json
from collections import Counter
from pathlib import Path
from typing import Optional

import pytest
from rich.console import Console

from esteira.errors import SettingsError, StateError
from esteira.release.gist import main_metrics
from esteira.release.history import keep_outcome
from esteira.release.history_view import show_release, show_releases
from esteira.release.inputs import inputs_name
from esteira.release.store.folder import FolderStore
from esteira.release.store.interface import Store, Stored
from tests.release.handmade_history import BY, History


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(FolderStore(tmp_path / "bucket"))


def printed(renderable: object, width: int = 80) -> str:
    console = Console(width=width, soft_wrap=True, highlight=False, color_system=None)
    with console.capture() as capture:
        console.print(renderable, markup=False)
    return capture.get()


def lines(renderable: object) -> "list[str]":
    return [line.rstrip() for line in printed(renderable).splitlines()]


def test_the_list_has_the_newest_first_and_marks_what_is_and_was_served(store: Store) -> None:
    history = History(store)
    first = history.deploy(commit="a" * 40)
    bad = history.deploy(blessed=False, commit="b" * 40, dirty=True, accuracy=0.25)
    last = history.deploy(commit="c" * 40, kind="partial")
    failed = history.deploy(blessed=False, failed=True, commit="")
    running = history.deploy(blessed=None, commit="d" * 40)
    assert lines(show_releases(store, "table")) == [
        "   release       when (UTC)           commit         kind     accuracy  macro_f1  blessed",
        f"   {running.id}  2026-11-01 00:05:00  ddddddd        full                         not known yet",
        f"   {failed.id}  2026-11-01 00:04:00  0000000        full                         failed",
        f"●  {last.id}  2026-11-01 00:03:00  ccccccc        partial     0.812     0.500  yes",
        f"   {bad.id}  2026-11-01 00:02:00  bbbbbbb-dirty  full        0.250     0.500  no",
        f"○  {first.id}  2026-11-01 00:01:00  aaaaaaa        full        0.812     0.500  yes",
    ]


def test_a_model_that_failed_its_smoke_test_is_not_listed_as_blessed(history: History) -> None:
    outcome = history.deploy(serve=False).outcome
    assert outcome is not None
    release = outcome.run[:12]
    keep_outcome(history.store, release, outcome.copy(update={"error": "smoke test: wrong label"}))
    assert lines(show_releases(history.store, "table"))[1].endswith("failed")
    shown = lines(show_release(history.store, release, "table"))
    assert "smoke test: wrong label" in shown
    assert ["blessed", "failed"] in [line.split() for line in shown]


def test_a_damaged_release_is_listed_as_unreadable_beside_the_others(history: History) -> None:
    damaged, release = history.deploy(), history.deploy(units=2)
    history.store.write(f"releases/{damaged.id}/release.json", b"{")
    _, *rows = lines(show_releases(history.store, "table"))
    assert [row.split()[-1] for row in rows] == ["yes", "unreadable"]
    assert rows[1].split() == [damaged.id, "unreadable"]
    known = json.loads(printed(show_releases(history.store, "json")))
    assert [(row["id"], row["blessed"]) for row in known] == [(release.id, "yes"), (damaged.id, "unreadable")]


def test_a_patch_that_was_never_written_is_not_shown(history: History) -> None:
    release = history.deploy(dirty=True)
    assert "source.patch" in printed(show_release(history.store, release.id, "table"))
    history.store.delete([f"releases/{release.id}/source.patch"])
    assert "source.patch" not in printed(show_release(history.store, release.id, "table"))


def test_a_damaged_listing_of_inputs_counts_as_lost(history: History) -> None:
    release = history.deploy()
    history.store.write(inputs_name(release.parts["job"].digest), b"{}")
    assert printed(show_release(history.store, None, "table"))


def test_the_list_as_json(history: History) -> None:
    first, last = history.deploy(commit="a" * 40, dirty=True), history.deploy(blessed=None)
    rows = json.loads(printed(show_releases(history.store, "json"), width=20))
    assert [row["id"] for row in rows] == [last.id, first.id]
    assert rows[1] == {
        "id": first.id,
        "at": first.at,
        "commit": "a" * 40,
        "dirty": True,
        "short_commit": "aaaaaaa-dirty",
        "kind": "full",
        "metrics": {"accuracy": 0.8125, "macro_f1": 0.5},
        "blessed": "yes",
        "current": True,
        "served": True,
    }


def test_the_list_has_the_accuracy_and_what_the_gate_looked_at(history: History) -> None:
    release = history.deploy(accuracy_lift=0.1)
    assert release.outcome is not None
    evaluation = {**release.outcome.evaluation, "thresholds": [{"metric": "accuracy_lift"}, {"metric": "unknown"}]}
    judged = release.copy(update={"outcome": release.outcome.copy(update={"evaluation": evaluation})})
    assert main_metrics(judged) == {"accuracy": 0.8125, "accuracy_lift": 0.1}
    ungated = {**evaluation, "thresholds": []}
    judged = release.copy(update={"outcome": release.outcome.copy(update={"evaluation": ungated})})
    assert main_metrics(judged) == {"accuracy": 0.8125, "accuracy_lift": 0.1, "macro_f1": 0.5}


def test_an_empty_history_says_what_to_type(store: Store) -> None:
    assert "No release yet. Run: make deploy" in printed(show_releases(store, "table"))
    assert json.loads(printed(show_releases(store, "json"))) == []


def test_each_manifest_is_read_once(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        history.deploy(units=number)
    reads: Counter[str] = Counter()
    read = FolderStore.read

    def counted(store: FolderStore, name: str) -> Optional[Stored]:
        reads[name] += 1
        return read(store, name)

    monkeypatch.setattr(FolderStore, "read", counted)
    show_releases(history.store, "table")
    assert len(reads) == 11
    assert set(reads.values()) == {1}


def test_ids_and_places_stay_whole_in_a_narrow_pipe(history: History) -> None:
    release = history.deploy(dirty=True)
    assert release.id in printed(show_releases(history.store, "table"), width=20)
    assert release.parts["data"].uri in printed(show_release(history.store, None, "table"), width=20)


def test_what_looks_like_markup_is_shown_as_it_is(history: History) -> None:
    release = history.deploy()
    text = history.store.read(f"releases/{release.id}/release.json")
    assert text is not None
    content = text.content.replace(b"modules changed", b"[bold]modules[/] changed")
    history.store.write(f"releases/{release.id}/release.json", content)
    assert "[bold]modules[/] changed" in printed(show_release(history.store, None, "table"))


def test_show_tells_all_of_a_release(history: History) -> None:
    first = history.deploy(commit="a" * 40)
    release = history.deploy(
        commit="b" * 40, dirty=True, blessed=False, values={"training.epochs": 2, "csv": "sha256:" + "1" * 64}
    )
    shown = lines(show_release(history.store, release.id[:8], "table"))
    assert shown[:11] == [
        f"release   {release.id}",
        "kind      full",
        "reason    modules changed",
        f"by        {BY}",
        "when      2026-11-01 00:02:00 UTC",
        f"commit    {'b' * 40}",
        f"changes   {history.store.uri}/releases/{release.id}/source.patch",
        f"parent    {first.id}",
        "blessed   no",
        f"manifest  {history.store.uri}/releases/{release.id}/release.json",
        "",
    ]
    modules = release.parts["modules"]
    assert f"modules          {modules.digest[7:19]}  {modules.content[7:19]}  {modules.uri}" in shown
    assert [line.split() for line in shown if line.startswith(("csv", "training"))] == [
        ["csv", "111111111111"],
        ["training.epochs", "2", "8"],
    ]
    assert "accuracy       0.812    ≥ 0.400            ✗" in shown
    assert "macro_f1 is 0.300, expected ≥ 0.400" in shown
    assert f"run   {release.outcome.run if release.outcome else ''}" in shown


def test_show_takes_the_served_release_unless_one_is_named(history: History) -> None:
    with pytest.raises(StateError, match=r"bucket: nothing is deployed yet\. Run: make deploy"):
        show_release(history.store, None, "table")
    release = history.deploy()
    history.deploy(blessed=False, units=2)
    assert lines(show_release(history.store, None, "table"))[0] == f"release   {release.id} (served now)"


def test_show_tells_a_release_whose_run_failed_or_is_not_over(history: History) -> None:
    failed = history.deploy(blessed=False, failed=True)
    assert "task Trainer: failed" in lines(show_release(history.store, failed.id, "table"))
    running = history.deploy(blessed=None)
    assert "blessed   not known yet" in lines(show_release(history.store, running.id, "table"))
    assert "parent    none: nothing was served before" in lines(show_release(history.store, running.id, "table"))


def test_a_listing_that_is_lost_leaves_the_rest_of_the_view(history: History) -> None:
    release = history.deploy()
    history.store.delete(entry.name for entry in history.store.list("inputs"))
    assert lines(show_release(history.store, None, "table"))[0].startswith(f"release   {release.id}")


def test_show_as_json_is_the_manifest_as_it_lies(history: History) -> None:
    release = history.deploy()
    stored = history.store.read(f"releases/{release.id}/release.json")
    assert stored is not None
    assert printed(show_release(history.store, None, "json"), width=20) == stored.content.decode()


@pytest.mark.parametrize("format", ["yaml", "word", "JSON"])
def test_another_format_is_refused(history: History, format: str) -> None:
    history.deploy()
    for show in (lambda: show_releases(history.store, format), lambda: show_release(history.store, None, format)):
        with pytest.raises(SettingsError, match=f"^FORMAT={format}: expected table or json. Run: make"):
            show()
