from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.release.history import (
    current_release,
    find_release,
    keep_outcome,
    keep_release,
    known_release,
    load_release,
    make_current,
    promoted,
    read_history,
    read_pointer,
    read_releases,
    readable_release,
    served_release,
)
from esteira.release.manifest import Release
from esteira.release.rollback import way_back
from esteira.release.store.folder import FolderStore
from esteira.release.store.interface import ABSENT, ConflictError, Store
from tests.release.handmade_history import History


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(FolderStore(tmp_path / "bucket"))


def test_nothing_is_served_before_the_first_deploy(store: Store) -> None:
    assert read_pointer(store) == ("", ABSENT)
    assert current_release(store) is None
    assert read_releases(store) == []
    with pytest.raises(StateError, match=r"^local: nothing is deployed yet\. Run: make deploy"):
        served_release(store, "local")


def test_a_deploy_makes_its_release_current(store: Store) -> None:
    history = History(store)
    first, second = history.deploy(), history.deploy(data="text,label\na,b\n")
    assert served_release(store, "local") == second
    assert second.parent == first.id
    assert [release.id for release in read_releases(store)] == [second.id, first.id]
    assert load_release(store, first.id) == first


def test_two_deploys_cannot_both_win(store: Store) -> None:
    history = History(store)
    history.deploy()
    slow, fast = history.deploy(blessed=None), history.deploy(blessed=None, units=16)
    generation = read_pointer(store).generation
    make_current(store, fast.id, if_generation=generation)
    with pytest.raises(ConflictError, match=f"another deploy was faster: release {fast.id} is served") as told:
        make_current(store, slow.id, if_generation=generation)
    assert f"Release {slow.id} stays in the history. Run: make plan" in str(told.value)
    assert read_pointer(store).release == fast.id


def test_a_deploy_that_was_killed_after_it_moved_current_can_go_on(history: History) -> None:
    release = history.deploy(blessed=None)
    make_current(history.store, release.id, if_generation=ABSENT)
    make_current(history.store, release.id, if_generation=ABSENT)
    assert read_pointer(history.store).release == release.id


def test_a_release_that_is_kept_already_stays_as_it_is(history: History) -> None:
    release = history.deploy()
    again = release.copy(update={"by": "bob@server", "outcome": None})
    assert keep_release(history.store, again) == release
    assert load_release(history.store, release.id) == release


def test_a_release_that_is_deployed_again_is_of_its_latest_deploy(store: Store) -> None:
    history = History(store)
    first = history.deploy(blessed=False)
    other = history.deploy(blessed=False, units=2)
    again = first.copy(update={"by": "bob@server", "at": "2026-12-01T10:00:00Z", "reason": "forced", "outcome": None})
    assert keep_release(store, again) == load_release(store, first.id) == again
    assert [release.id for release in read_releases(store)] == [first.id, other.id]


def test_a_deploy_that_goes_on_finds_what_its_run_came_to(history: History) -> None:
    release = history.deploy(blessed=False)
    assert keep_release(history.store, release.copy(update={"outcome": None})) == release


def test_the_outcome_is_added_to_a_release(store: Store) -> None:
    history = History(store)
    release = history.deploy(blessed=None)
    outcome = history.outcome(release.id, True, False, {})
    assert keep_outcome(store, release.id, outcome).outcome == outcome
    assert load_release(store, release.id) == release.copy(update={"outcome": outcome})
    with pytest.raises(StateError, match=r"releases/000000000000/release.json: there is no such release"):
        keep_outcome(store, "000000000000", outcome)


def test_the_beginning_of_an_id_is_enough(history: History) -> None:
    releases = [history.deploy(units=units) for units in range(20)]
    ids = [release.id for release in releases]
    for release in releases:
        unique = next(
            release.id[:length]
            for length in range(1, 13)
            if sum(other.startswith(release.id[:length]) for other in ids) == 1
        )
        assert find_release(history.store, unique) == release
    shared = next(digit for digit in "0123456789abcdef" if sum(other[0] == digit for other in ids) > 1)
    both = ", ".join(sorted(other for other in ids if other[0] == shared))
    with pytest.raises(StateError, match=f"RELEASE={shared}: is the beginning of {both}. Expected an id"):
        find_release(history.store, shared)
    with pytest.raises(StateError, match=r"^A=xyz: there is no such release\. .* Run: make releases"):
        find_release(history.store, "xyz", "A")
    mistyped = f"{release.id[:8]}!"
    with pytest.raises(
        StateError, match=f"^RELEASE={mistyped}: there is no such release. Perhaps you meant {release.id}."
    ):
        find_release(history.store, mistyped)


def test_a_lost_release_is_named(history: History) -> None:
    release = history.deploy()
    history.store.delete([f"releases/{release.id}/release.json"])
    assert known_release(history.store, release.id) is None
    for find in (current_release, lambda store: served_release(store, "local")):
        with pytest.raises(StateError) as told:
            find(history.store)
        assert str(told.value) == (
            f"{history.store.uri}/releases/{release.id}/release.json: the current release {release.id} is lost.\n"
            "Run: make rollback RELEASE=id (make releases lists them)"
        )


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n", b"../../etc/passwd\n", b"0123456789ab 0123456789ab\n"])
def test_a_damaged_pointer_says_what_to_type(store: Store, content: bytes) -> None:
    store.write("current", content)
    with pytest.raises(StateError, match=r"/current: holds no id of a release\. Expected 12 hex(?s:.*)Run: .*rm "):
        read_pointer(store)


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"[]", b'{"version": 2}'])
def test_a_damaged_release_hides_no_other_one(store: Store, content: bytes) -> None:
    history = History(store)
    damaged, release = history.deploy(), history.deploy(units=2)
    store.write(f"releases/{damaged.id}/release.json", content)
    assert read_history(store) == ([release], [damaged.id])
    assert readable_release(store, damaged.id) is None
    with pytest.raises(StateError, match=r"release\.json: is no release that (?s:.*)remove the release: .*rm "):
        read_releases(store)


def test_what_was_served_is_the_chain_of_parents(history: History) -> None:
    first = history.deploy()
    history.deploy(blessed=False, units=1)
    second = history.deploy(units=2)
    history.deploy(failed=True, blessed=False, units=3)
    releases = read_releases(history.store)
    assert promoted(releases, second.id) == [second, first]
    assert promoted(releases, "") == []
    assert promoted([second], second.id) == [second]


def test_a_circle_of_parents_ends(history: History) -> None:
    one, two = history.deploy(), history.deploy(units=2)
    circle = [one.copy(update={"parent": two.id}), two]
    assert promoted(circle, two.id) == [circle[1], circle[0]]


def test_a_chain_is_followed_by_ids_and_never_by_comparing_releases(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Releases are compared deeply: a thousand of them took more than a minute."""
    releases = [history.deploy()]
    for number in range(9):
        releases.append(releases[0].copy(update={"id": f"{number:012x}", "parent": releases[-1].id}))
    monkeypatch.setattr(Release, "__eq__", lambda one, other: pytest.fail("releases were compared"))
    assert [release.id for release in promoted(releases, releases[-1].id)] == [r.id for r in reversed(releases)]
    unblessed = [release.copy(update={"outcome": None}) for release in releases]
    assert way_back(unblessed[-1], {release.id: release for release in unblessed}.get) == []


def test_files_beside_the_manifests_are_no_releases(history: History) -> None:
    release = history.deploy()
    history.store.write("releases/notes.txt", b"mine")
    history.store.write(f"releases/{release.id}/below/release.json", b"mine")
    assert read_releases(history.store) == [release]
