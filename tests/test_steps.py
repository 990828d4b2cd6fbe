import json
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from esteira.errors import DataError, JobError, LeaseError, NotBlessedError, ServingError, StateError
from esteira.files import write_text
from esteira.release.digest import digest_bytes
from esteira.release.history import (
    current_release,
    keep_outcome,
    keep_release,
    load_release,
    make_current,
    read_pointer,
)
from esteira.release.lease import hold_lease
from esteira.release.manifest import PARTS, Outcome, Part
from esteira.release.order import Order, make_release, parent_parts, patch_name
from esteira.release.parts import read_parts, write_parts
from esteira.release.store import Store, open_store
from esteira.settings import Settings
from esteira.steps import (
    RELEASE,
    SYNCED,
    blessed_outcome,
    build_folder,
    data_step,
    keep_patch,
    made_parts,
    promote_step,
    release_step,
    sync_step,
)
from tests.vertex.scripted import in_dev

JOB = {"pipelineSpec": {"pipelineInfo": {"name": "sentiment"}, "root": {}}}


@pytest.fixture
def settings(tmp_path: Path, make_settings: Callable[..., Settings]) -> Settings:
    (tmp_path / "root" / "modules" / "best_hyperparameters").mkdir(parents=True)
    (tmp_path / "root" / "modules" / "__init__.py").write_text("")
    (tmp_path / "root" / "modules" / "best_hyperparameters" / "best.txt").write_text("{}")
    return make_settings(tmp_path / "root")


@pytest.fixture
def store(settings: Settings) -> Store:
    return open_store(settings)


def digest(text: str) -> str:
    return digest_bytes(text.encode())


def order(store: Store, kind: str = "full", **values: Any) -> Order:
    """An order for what is here, after the release that is current; `changed` names a part that differs."""
    pointer = read_pointer(store)
    changed = values.pop("changed", "")
    return Order(
        kind=kind,
        reason="a test",
        by="ml@host",
        at="2026-11-22T21:30:41Z",
        parent=pointer.release or None,
        generation=pointer.generation,
        commit="c" * 40,
        dirty=False,
        parts={name: digest(f"{name} changed" if name == changed else name) for name in PARTS},
        **values,
    )


def prepare(settings: Settings) -> None:
    """Leave behind what `inv data` leaves."""
    write_text(build_folder(settings) / "data" / "train" / "train.csv", "text,label,source\n")


def release_once(settings: Settings, store: Store, *, error: Optional[str] = "") -> str:
    """Make a release, as the steps up to `run` do; `error` is None before its run. Return its id."""
    release = keep_release(store, make_release(settings, order(store), {}))
    write_text(build_folder(settings) / RELEASE, release.id)
    if error is not None:
        outcome = Outcome(run="r-1", at=release.at, blessed=not error, error=error, evaluation={"metrics": {}})
        keep_outcome(store, release.id, outcome)
    return release.id


def test_parts_that_the_current_release_has_are_taken_from_it(settings: Settings, store: Store) -> None:
    prepare(settings)
    sync_step(settings, order(store))
    first = read_parts(build_folder(settings) / SYNCED, "")
    parts = {**first, **{name: Part(digest=digest(name)) for name in ("image", "settings", "job")}}
    release = keep_release(store, make_release(settings, order(store), parts))
    make_current(store, release.id, if_generation=0)

    assert data_step(settings, order(store)) == f"data: as in release {release.id}"
    (settings.root / "modules" / "new.py").write_text("")
    sync_step(settings, order(store, "partial", changed="modules"))
    second = read_parts(build_folder(settings) / SYNCED, "")
    assert {name for name in first if first[name] != second[name]} == {"modules"}

    # The same digest, so that even a changed folder is not read; by force it is.
    (settings.root / "modules" / "best_hyperparameters" / "best.txt").write_text('{"values": {}}')
    sync_step(settings, order(store))
    assert read_parts(build_folder(settings) / SYNCED, "")["hyperparameters"] == first["hyperparameters"]
    sync_step(settings, order(store, force=True))
    assert read_parts(build_folder(settings) / SYNCED, "")["hyperparameters"] != first["hyperparameters"]


def test_parts_are_taken_from_the_store_that_is_open(settings: Settings, store: Store, tmp_path: Path) -> None:
    prepare(settings)
    sync_step(settings, order(store))
    parts = read_parts(build_folder(settings) / SYNCED, "")
    elsewhere = {name: part.copy(update={"uri": f"/elsewhere/{name}"}) for name, part in parts.items()}
    release = keep_release(store, make_release(settings, order(store), elsewhere))
    make_current(store, release.id, if_generation=0)
    assert parent_parts(store, order(store), list(parts)) == parts
    Path(parts["data"].uri, "train", "train.csv").unlink()
    assert set(parent_parts(store, order(store), list(parts))) == set(parts) - {"data"}


def test_data_that_changed_after_the_plan_is_refused(
    settings: Settings, store: Store, make_settings: Callable[..., Settings]
) -> None:
    (settings.root / "my.csv").write_text("text,label\n")
    chosen = make_settings(settings.root, data__file="my.csv")
    with pytest.raises(DataError, match=r"my\.csv: was changed after the deploy began"):
        data_step(chosen, order(store, csv=digest("before")))


def test_a_partial_build_uses_the_job_and_the_image_of_the_current_release_alone(
    settings: Settings, store: Store
) -> None:
    with pytest.raises(StateError, match="needs a release whose image and job it can use. Run: make deploy-full"):
        made_parts(settings, store, order(store, "partial"))
    job = Part(digest=digest("job"), content=digest("compiled"), uri="/jobs/1")
    image = Part(digest=digest("image"), content=digest("built"), uri="/images/1")
    release = keep_release(store, make_release(settings, order(store), {"job": job, "image": image}))
    make_current(store, release.id, if_generation=0)
    assert made_parts(settings, store, order(store, "partial")) == {
        "image": image,
        "job": job.copy(update={"uri": f"{store.uri}/jobs/{job.content[7:]}"}),
    }
    with pytest.raises(StateError, match="its image was made of other files. Run: make deploy-full"):
        made_parts(settings, store, order(store, "partial", changed="image"))


def test_a_step_typed_out_of_order_says_which_one_is_missing(settings: Settings, store: Store) -> None:
    build = build_folder(settings)
    with pytest.raises(StateError, match=r"no such file. Run: .venv/bin/inv image$"):
        made_parts(settings, store, order(store))
    write_parts(build / "image-part.json", {"image": Part(digest=digest("image"))})
    with pytest.raises(StateError, match=r"no such file. Run: .venv/bin/inv compile$"):
        made_parts(settings, store, order(store))


def test_in_a_build_in_google_cloud_another_deploy_is_what_to_type(settings: Settings, store: Store) -> None:
    release = load_release(store, release_once(settings, store, error=None))
    cloud = in_dev(settings)
    with pytest.raises(StateError) as told:
        blessed_outcome(cloud, release)
    assert str(told.value) == f"release {release.id}: has not been run. Run: make deploy ENV=dev"
    with pytest.raises(StateError, match=r"image-part.json: no such file. Run: make deploy ENV=dev$"):
        made_parts(cloud, store, order(store))


def test_a_lost_job_says_what_to_run(settings: Settings, store: Store) -> None:
    write_parts(build_folder(settings) / SYNCED, {})
    write_parts(build_folder(settings) / "job-part.json", {"job": Part(digest=digest("job"), content=digest("lost"))})
    write_parts(build_folder(settings) / "image-part.json", {"image": Part(digest=digest("image"))})
    with pytest.raises(StateError, match="is lost or damaged. Run: make deploy-full FORCE=1"):
        release_step(settings, order(store))


def test_a_blessed_model_becomes_current(settings: Settings, store: Store) -> None:
    begun = order(store)
    release = release_once(settings, store)
    promote_step(settings, begun)
    current = current_release(store)
    assert current and current.id == release
    manifest = Path(store.uri, "releases", release, "release.json")
    assert json.loads(manifest.read_text())["outcome"]["blessed"] is True


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ("macro_f1 is 0.300, expected ≥ 0.400", NotBlessedError, "macro_f1 is 0.300, expected ≥ 0.400"),
        (None, StateError, "has not been run. Run: .venv/bin/inv run"),
    ],
)
def test_what_was_not_blessed_never_becomes_current(
    settings: Settings, store: Store, error: Optional[str], kind: "type[Exception]", message: str
) -> None:
    release_once(settings, store, error=error)
    with pytest.raises(kind, match=message):
        promote_step(settings, order(store))
    assert current_release(store) is None


def test_a_failed_run_stays_in_the_history_and_is_told_again(settings: Settings, store: Store) -> None:
    release = release_once(settings, store, error=None)
    keep_outcome(store, release, Outcome(run="r-1", at="", blessed=False, error="Trainer failed"))
    with pytest.raises(JobError, match="Trainer failed"):
        promote_step(settings, order(store))
    outcome = load_release(store, release).outcome
    assert outcome and outcome.error == "Trainer failed"


def test_of_two_deploys_that_began_at_once_one_wins(settings: Settings, store: Store) -> None:
    begun = order(store)
    first = release_once(settings, store)
    promote_step(settings, begun)
    other = keep_release(store, make_release(settings, order(store, changed="data"), {}))
    write_text(build_folder(settings) / RELEASE, other.id)
    keep_outcome(store, other.id, Outcome(run="r-2", at="", blessed=True, evaluation={"metrics": {}}))
    with pytest.raises(StateError, match=f"another deploy was faster: release {first} is served"):
        promote_step(settings, begun)
    assert read_pointer(store).release == first


def test_a_model_that_failed_its_smoke_test_is_not_promoted(settings: Settings, store: Store) -> None:
    release = release_once(settings, store)
    outcome = load_release(store, release).outcome
    assert outcome
    keep_outcome(store, release, outcome.copy(update={"error": "smoke test: answer 3 differs"}))
    with pytest.raises(ServingError, match=r"smoke test: answer 3 differs\nRun: .venv/bin/inv smoke"):
        promote_step(settings, order(store))
    assert current_release(store) is None


def test_a_release_made_before_another_one_was_served_is_not_promoted(settings: Settings, store: Store) -> None:
    release_once(settings, store)
    other = keep_release(store, make_release(settings, order(store), {"data": Part(digest=digest("data"))}))
    make_current(store, other.id, if_generation=0)
    with pytest.raises(StateError, match=f"another deploy was faster: release {other.id} is served"):
        promote_step(settings, order(store))


def test_a_deploy_that_lost_its_lease_promotes_nothing(settings: Settings, store: Store) -> None:
    release_once(settings, store)
    with hold_lease(store, what="make deploy", lease_s=60, wait_s=0, report=print) as lease:
        taken = lease.token
    with pytest.raises(LeaseError, match="promotes nothing"):
        promote_step(settings, order(store, lease=taken))
    assert current_release(store) is None


def test_uncommitted_changes_are_kept_beside_their_release(settings: Settings, store: Store) -> None:
    begun = order(store, patch=digest("diff"))
    store.write(patch_name(begun.patch), b"diff")
    release = make_release(settings, begun, {})
    keep_patch(store, begun, release)
    kept = store.read(f"releases/{release.id}/source.patch")
    assert kept and kept.content == b"diff"
    assert store.list("patches") == []
