from typing import Dict, List, Optional

from hypothesis import given
from hypothesis import strategies as st

from esteira.release.manifest import Outcome, Part, Release
from esteira.release.retention import kept_releases

BLESSED = Outcome(run="r", at="2026-11-22T21:30:41Z", blessed=True)


class Shelf:
    """Releases by letters, each made after the one before."""

    def __init__(self) -> None:
        self.releases: List[Release] = []
        self.current = ""

    def add(self, name: str, *, restores: Optional[str] = None, serve: bool = True, blessed: bool = True) -> None:
        release = Release(
            id=name,
            pipeline="sentiment",
            commit="",
            dirty=False,
            kind="rollback" if restores else "full",
            parent=self.current or None,
            restores=restores,
            parts={"image": Part(digest="sha256:1")},
            outcome=BLESSED if blessed else None,
        )
        self.releases.insert(0, release)
        self.current = name if serve else self.current

    def kept(self, keep: int, running: "tuple[str, ...]" = ()) -> Dict[str, str]:
        return kept_releases(self.releases, self.current, keep, running)


def shelf_of(*names: str) -> Shelf:
    shelf = Shelf()
    for name in names:
        shelf.add(name)
    return shelf


def test_the_newest_the_served_one_and_the_one_before_it_stay() -> None:
    shelf = shelf_of("a", "b", "c", "d")
    shelf.add("bad", serve=False, blessed=False)
    assert shelf.kept(1) == {"d": "is served", "c": "a rollback goes back to it", "bad": "is the newest"}
    assert shelf.kept(4)["b"] == "is one of the newest 4"
    assert list(shelf.kept(9)) == ["d", "c", "bad", "b", "a"]


def test_what_leads_a_rollback_stays() -> None:
    shelf = shelf_of("a", "b")
    shelf.add("back to a", restores="a")
    shelf.add("c")
    for name in ("x", "y"):
        shelf.add(name, serve=False, blessed=False)
    assert shelf.kept(1) == {
        "c": "is served",
        "a": "a rollback goes back to it",
        "back to a": "leads a rollback",
        "y": "is the newest",
    }


def test_what_the_served_rollback_restores_stays() -> None:
    shelf = shelf_of("a", "b", "c", "d")
    shelf.add("back to b", restores="b")
    assert shelf.kept(1) == {
        "back to b": "is served",
        "b": "leads a rollback",
        "a": "a rollback goes back to it",
    }


def test_what_a_kept_rollback_brought_back_stays() -> None:
    shelf = shelf_of("a", "b", "c")
    shelf.add("back to a", restores="a")
    shelf.add("forth to c", restores="c")
    shelf.add("d")
    assert shelf.kept(3) == {
        "d": "is served",
        "c": "a rollback goes back to it",
        "forth to c": "leads a rollback",
        "back to a": "is one of the newest 3",
        "a": "release back to a brought it back",
    }


def test_what_a_job_under_way_belongs_to_stays() -> None:
    shelf = shelf_of("a", "b", "c", "d")
    assert shelf.kept(1, ("a", "unknown"))["a"] == "its job may be running"
    assert "unknown" not in shelf.kept(1, ("unknown",))


def test_a_history_without_a_served_release_keeps_the_newest() -> None:
    shelf = shelf_of("a", "b")
    assert kept_releases(shelf.releases, "", 1) == {"b": "is the newest"}
    assert kept_releases([], "", 1) == {}
    assert kept_releases([], "gone", 1) == {}


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 9)), max_size=12), st.integers(1, 12))
def test_what_stays_is_enough_to_keep_the_same_again(made: "List[tuple[bool, bool, int]]", keep: int) -> None:
    shelf = Shelf()
    for number, (serve, is_rollback, target) in enumerate(made):
        origins = [release.id for release in shelf.releases if release.restores is None]
        restores = origins[target % len(origins)] if is_rollback and origins else None
        shelf.add(str(number), serve=serve, restores=restores)
    kept = shelf.kept(keep)
    left = [release for release in shelf.releases if release.id in kept]
    assert kept_releases(left, shelf.current, keep) == kept
    assert len(kept) >= min(keep, len(shelf.releases))
    assert all(release.origin in kept for release in left)
