import json
from pathlib import Path
from typing import Tuple

import pytest

from esteira.errors import SettingsError, StateError
from esteira.release.manifest import Release
from esteira.serving.sources import Split, StoreSource
from esteira.serving.traffic import change_traffic
from tests.serving.toy_store import ToyStore

Toys = Tuple[ToyStore, Release, Release]


@pytest.fixture
def toys(tmp_path: Path) -> Toys:
    """A store with a current release, another one, and folders in place of models."""
    model = tmp_path / "model"
    model.mkdir()
    store = ToyStore(tmp_path / "state", model)
    first, second = store.add(1), store.add(2)
    store.promote(first)
    return store, first, second


def test_a_release_gets_a_share_until_it_is_ended(toys: Toys) -> None:
    store, first, second = toys
    whole = f"100 % of the traffic goes to release {first.id}"
    assert change_traffic(store.settings) == whole
    shared = f"90 % of the traffic goes to release {first.id}, 10 % to release {second.id}"
    # The beginning of an id will do.
    assert change_traffic(store.settings, second.id[:6], "10") == shared
    assert change_traffic(store.settings) == shared
    stored = store.store.read("traffic.json")
    assert stored is not None
    assert json.loads(stored.content) == {"release": first.id, "beside": second.id, "percent": 10}
    assert change_traffic(store.settings, percent="0") == whole
    assert change_traffic(store.settings, percent="0") == whole


def test_the_server_has_the_split_only_while_current_is_the_release_that_it_was_made_for(toys: Toys) -> None:
    store, first, second = toys
    source = StoreSource(store.store, "sentiment", "sentiment-local")
    assert source.wanted() == Split(first.id)
    change_traffic(store.settings, second.id, "25")
    assert source.wanted() == Split(first.id, second.id, 25)
    store.promote(second)
    assert source.wanted() == Split(second.id)
    store.promote(first)
    assert source.wanted() == Split(first.id, second.id, 25)


def test_a_model_that_a_rollback_brought_back_is_deployed_under_the_same_id(toys: Toys) -> None:
    store, first, second = toys
    source = StoreSource(store.store, "sentiment", "sentiment-local")
    restored, other = source.candidate(store.restore(first).id), source.candidate(second.id)
    assert restored == source.candidate(first.id) != other
    assert restored.identity.release == first.id
    assert restored.identity.endpoint == "projects/local/locations/local/endpoints/sentiment-local"


def test_what_cannot_be_is_told(toys: Toys) -> None:
    store, first, second = toys
    lost = second.copy(update={"id": "f" * 12, "outcome": None})
    store.store.write(f"releases/{lost.id}/release.json", json.dumps(lost.dict()).encode())
    restored = store.restore(first)
    served = f"its model is served already, by the current release {first.id}.\n"
    served += "Expected another one. Run: make releases"
    percent = "expected 1 to 99, the share of RELEASE, or 0 to end the split.\nRun: make traffic RELEASE=id PERCENT=10"
    faults = {
        (first.id, "10"): f"RELEASE={first.id}: {served}",
        (restored.id, "10"): f"RELEASE={restored.id}: {served}",
        (lost.id, "10"): f"RELEASE={lost.id}: no model was pushed. Expected a release that was served. "
        "Run: make releases",
        ("0" * 12, "10"): "RELEASE=000000000000: there is no such release. Expected an id that make releases lists. "
        "Run: make releases",
        (second.id, "100"): f"PERCENT=100: {percent}",
        (second.id, ""): f"PERCENT=: {percent}",
        (second.id, "½"): f"PERCENT=½: {percent}",
    }
    for (release, share), message in faults.items():
        with pytest.raises(StateError) as told:
            change_traffic(store.settings, release, share)
        assert str(told.value) == message
    assert store.store.read("traffic.json") is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[]", "expected an object"),
        (b'{"release": "a", "beside": "b"}', "expected release, beside and percent"),
        (b'{"release": "a", "beside": "b", "percent": 100}', "percent is 100, expected 1 to 99"),
    ],
)
def test_a_split_that_cannot_be_read_is_told_with_its_place(toys: Toys, content: bytes, why: str) -> None:
    store, _, _ = toys
    store.store.write("traffic.json", content)
    with pytest.raises(StateError) as told:
        change_traffic(store.settings)
    place = f"{store.store.uri}/traffic.json"
    assert str(told.value).startswith(f"{place}: holds no split of the traffic: {why}.\nRun: ")


def test_nothing_is_split_before_the_first_deploy(tmp_path: Path) -> None:
    store = ToyStore(tmp_path / "state", tmp_path)
    with pytest.raises((StateError, SettingsError), match="nothing is deployed yet. Run: make deploy-full"):
        change_traffic(store.settings, "abc", "10")
