from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Callable, List, Optional

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from esteira.errors import ServingError, StateError
from esteira.release.history import keep_outcome, load_release, promoted, read_pointer, read_releases
from esteira.release.manifest import Release, manifest_name
from esteira.release.rollback import rollback
from esteira.release.served import served_model
from esteira.release.store.folder import FolderStore
from esteira.release.store.interface import ConflictError, Store
from esteira.settings import Settings, load_settings
from tests.release.handmade_history import History

AT = "2026-12-01T10:00:00Z"


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(FolderStore(tmp_path / "bucket"))


def no_check(model: object) -> None:
    return None


def asking(check: Callable[[str], object]) -> Callable[[Release], object]:
    """Return what serves a release by asking its model, known by its place."""
    return lambda release: check(release.outcome.model if release.outcome else "")


@pytest.fixture
def back(settings: Settings, history: History) -> Callable[..., Optional[Release]]:
    def roll_back(text: Optional[str] = None, check: Callable[[str], object] = no_check) -> Optional[Release]:
        return rollback(settings, history.store, text, by="ana@laptop", at=AT, serve=asking(check))

    return roll_back


def served(history: History) -> Release:
    return load_release(history.store, read_pointer(history.store).release)


def test_the_previous_release_is_served_again_as_a_release_of_its_own(store: Store, settings: Settings) -> None:
    history = History(store)
    first, second = history.deploy(), history.deploy(units=16)
    asked: List[str] = []
    release = rollback(settings, store, None, by="bob@server", at=AT, serve=asking(asked.append))
    assert release is not None and first.outcome is not None
    assert asked == [first.outcome.model]
    assert release == first.copy(
        update={
            "id": release.id,
            "kind": "rollback",
            "parent": second.id,
            "restores": first.id,
            "reason": f"rolled back from release {second.id} to release {first.id}",
            "by": "bob@server",
            "at": AT,
        }
    )
    assert served(history) == release
    assert [found.id for found in read_releases(store)] == [release.id, second.id, first.id]


def test_a_second_rollback_goes_one_further_back_and_not_forth(history: History, back: Callable[..., Release]) -> None:
    first, second, _ = (history.deploy(units=units) for units in (1, 2, 3))
    assert back().restores == second.id
    assert back().restores == first.id
    with pytest.raises(StateError, match=r"no blessed release was served before it\.\n.*make rollback RELEASE=id"):
        back()
    fourth = history.deploy(units=4)
    assert fourth.parent != first.id
    assert back().restores == first.id


def test_releases_that_were_never_served_are_passed_over(history: History, back: Callable[..., Release]) -> None:
    first = history.deploy()
    history.deploy(blessed=False, units=2)
    history.deploy(serve=False, units=3)
    history.deploy(blessed=None, units=4)
    history.deploy(units=5)
    assert back().restores == first.id


def test_any_blessed_release_can_be_named(history: History, back: Callable[..., Release]) -> None:
    releases = [history.deploy(units=units) for units in range(3)]
    never_served = history.deploy(serve=False, units=9)
    assert back(releases[0].id).restores == releases[0].id
    assert back(never_served.id).restores == never_served.id
    assert back(releases[2].id[:11]).restores == releases[2].id


def test_a_rollback_to_a_rollback_restores_what_that_one_did(history: History, back: Callable[..., Release]) -> None:
    first, _ = history.deploy(), history.deploy(units=2)
    earlier = back()
    history.deploy(units=3)
    again = back(earlier.id)
    assert again.restores == first.id
    assert again.id != earlier.id


@pytest.mark.parametrize("named", [True, False])
def test_what_is_served_already_is_left_alone(history: History, back: Callable[..., Release], named: bool) -> None:
    first, second = history.deploy(), history.deploy(units=2)
    if not named:
        back()
    before = served(history)
    assert back(second.id if named else first.id) is None
    assert served(history) == before


@pytest.mark.parametrize(("blessed", "failed"), [(False, False), (False, True), (None, False)])
def test_a_release_without_a_blessed_model_is_refused(
    history: History, back: Callable[..., Release], blessed: Optional[bool], failed: bool
) -> None:
    history.deploy()
    release = history.deploy(blessed=blessed, failed=failed, units=2)
    with pytest.raises(StateError, match=f"^release {release.id}: its model was not blessed(?s:.*)make releases"):
        back(release.id)


def test_a_model_that_failed_its_smoke_test_is_never_served_again(
    history: History, back: Callable[..., Release]
) -> None:
    first, broken, _ = (history.deploy(units=units) for units in (1, 2, 3))
    assert broken.outcome is not None
    keep_outcome(history.store, broken.id, broken.outcome.copy(update={"error": "smoke test: wrong label"}))
    why = f"^release {broken.id}: its model failed: smoke test: wrong label, so it can't be served"
    with pytest.raises(StateError, match=why):
        back(broken.id)
    assert back().restores == first.id


def test_nothing_can_be_rolled_back_before_the_first_deploy(back: Callable[..., Release]) -> None:
    with pytest.raises(StateError, match=r"^local: nothing is deployed yet\. Run: make deploy"):
        back()


@pytest.mark.parametrize("damaged", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_a_lost_current_release_is_no_dead_end(
    history: History, back: Callable[..., Release], damaged: bool, named: bool
) -> None:
    first, second, lost = (history.deploy(units=units) for units in (1, 2, 3))
    history.deploy(units=4, blessed=False)
    if damaged:
        history.store.write(manifest_name(lost.id), b"{")
    else:
        history.store.delete([manifest_name(lost.id)])
    release = back(first.id if named else None)
    target = first if named else second
    assert (release.restores, release.parent) == (target.id, lost.id)
    assert release.reason == f"rolled back from release {lost.id}, which is lost, to release {target.id}"
    assert served(history) == release


def test_a_history_without_anything_blessed_needs_a_deploy(history: History, back: Callable[..., Release]) -> None:
    history.store.delete([manifest_name(history.deploy().id)])
    with pytest.raises(StateError, match="the current release is lost, and no other one is blessed. Run: make deploy"):
        back()


def test_a_pointer_that_was_removed_can_be_set_again(history: History, back: Callable[..., Release]) -> None:
    release = history.deploy()
    history.store.delete(["current"])
    again = back(release.id)
    assert (again.parent, again.restores) == (None, release.id)
    assert again.reason == f"rolled back to release {release.id}"
    assert served(history) == again


def test_parts_that_are_gone_are_named_and_nothing_is_changed(history: History, back: Callable[..., Release]) -> None:
    first, second = history.deploy(), history.deploy(units=2)
    for place in (first.parts["hyperparameters"].uri, first.outcome.model if first.outcome else ""):
        prefix = place[len(history.store.uri) + 1 :]
        history.store.delete(entry.name for entry in history.store.list(prefix))
    with pytest.raises(StateError) as told:
        back(check=pytest.fail)
    assert str(told.value) == (
        f"release {first.id}: cannot be served again, as not all of it is there:\n"
        f"  hyperparameters: nothing lies at {first.parts['hyperparameters'].uri}\n"
        f"  model: nothing lies at {first.outcome.model if first.outcome else ''}\n"
        f"To make it anew: git checkout {first.commit[:7]}    Then: make deploy FORCE=1"
    )
    assert served(history) == second
    assert len(read_releases(history.store)) == 2


def test_a_part_that_lacks_a_file_is_not_whole(history: History, back: Callable[..., Release]) -> None:
    data = history.deploy().parts["data"].uri
    history.deploy(units=2)
    Path(data, "schema", "schema.pbtxt").unlink()
    with pytest.raises(StateError, match=f"data: 1 of 2 files lie at {data}"):
        back(check=pytest.fail)


def test_a_store_that_was_moved_serves_what_lies_in_it(settings: Settings, tmp_path: Path) -> None:
    history = History(FolderStore(settings.folder))
    history.deploy()
    history.deploy(units=2)
    settings.state.rename(tmp_path / "moved")
    moved = load_settings(settings.root, {"ESTEIRA_STATE": str(tmp_path / "moved")}, {})
    store = FolderStore(moved.folder)
    asked: List[str] = []
    assert served_model(moved) == moved.folder / "serving" / "1795000002"
    release = rollback(moved, store, None, by="ana@laptop", at=AT, serve=asking(asked.append))
    assert release is not None and release.outcome is not None
    assert asked == [release.outcome.model] == [f"{store.uri}/serving/1795000001"]
    assert all(part.uri.startswith(f"{store.uri}/") for part in release.parts.values() if part.uri)


def test_a_model_that_answers_wrongly_is_not_served(history: History, back: Callable[..., Release]) -> None:
    def refuse(model: str) -> None:
        raise ServingError("wrong label")

    history.deploy()
    second = history.deploy(units=2)
    with pytest.raises(ServingError, match="wrong label"):
        back(check=refuse)
    assert served(history) == second
    assert len(read_releases(history.store)) == 2


def test_a_deploy_in_between_wins(history: History, back: Callable[..., Release]) -> None:
    history.deploy()
    history.deploy(units=2)
    other = history.deploy(serve=False, units=3)
    with pytest.raises(ConflictError, match=f"another deploy was faster: release {other.id} is served"):
        back(check=lambda model: history.serve(other))
    assert served(history) == other


def test_a_rollback_that_was_killed_before_the_end_is_finished(
    history: History, back: Callable[..., Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    history.deploy()
    second = history.deploy(units=2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("esteira.release.rollback.make_current", die)
        back()
    assert served(history) == second
    release = back()
    assert served(history) == release
    assert len(read_releases(history.store)) == 3


@limits(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["deploy", "bad", "back"]), max_size=14))
def test_rollbacks_undo_deploys_one_by_one(actions: List[str]) -> None:
    """A stack says what has to be served: a deploy pushes onto it, a rollback pops."""
    with TemporaryDirectory() as folder:
        settings = load_settings(Path(folder), {"ESTEIRA_STATE": f"{folder}/state"}, {})
        history = History(FolderStore(Path(folder) / "bucket"))
        stack: List[str] = []
        for number, action in enumerate(actions):
            if action == "deploy":
                stack.append(history.deploy(units=number).id)
            elif action == "bad":
                history.deploy(units=number, blessed=False)
            elif len(stack) > 1:
                stack.pop()
                rollback(settings, history.store, None, by="ana@laptop", at=AT, serve=no_check)
            current = read_pointer(history.store).release
            assert ([served(history).origin] if current else []) == stack[-1:]
            assert len(promoted(read_releases(history.store), current)) >= len(stack)
