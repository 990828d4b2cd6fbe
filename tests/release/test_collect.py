"""What a collection removes and keeps; tests/release/test_retention.py has which releases it keeps."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Optional, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from esteira.errors import SettingsError, StateError
from esteira.local.jobs.cache import find_cached
from esteira.local.jobs.leftovers import hold_run
from esteira.local.jobs.store import Store as MetadataStore
from esteira.release.collect import collect, plan_collection
from esteira.release.collect_view import collection_table, size
from esteira.release.collection import Collection
from esteira.release.history import keep_outcome, read_pointer, read_releases
from esteira.release.inputs import inputs_name
from esteira.release.manifest import Release
from esteira.release.places import missing_places, places_of
from esteira.release.rollback import rollback
from esteira.release.store import open_store
from esteira.release.store.folder import FolderStore
from esteira.settings import Environment, Settings, load_settings
from tests.release.handmade_history import History, moment_of
from tests.release.handmade_runs import Runs, Source
from tests.release.test_history_view import lines, printed


class Local:
    """The environment `local`, with a history, its runs, and what is kept of each release."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = FolderStore(settings.folder)
        self.history = History(self.store, settings.pipeline.name)
        self.runs = Runs(settings)
        self.examples: List[Source] = []

    def deploy(self, *, cached: bool = False, **options: object) -> Release:
        release = self.history.deploy(**options)  # type: ignore[arg-type]
        blessed = release.outcome is not None and release.outcome.blessed
        run = release.outcome.run if release.outcome else f"{release.id}-20261122T190000"
        source = self.examples[-1] if cached and self.examples else None
        self.examples.append(self.runs.add(run, blessed=blessed, cached=source, model=self.pushed()))
        return release

    def pushed(self) -> str:
        """Return where the last run pushed to, as far as it did."""
        return f"{self.store.uri}/serving/{1795000000 + self.history.made}"

    def roll_back(self) -> Optional[Release]:
        self.history.made += 1
        at = moment_of(self.history.made)
        return rollback(self.settings, self.store, None, by="ana@laptop", at=at, serve=lambda release: None)

    def collect(self, keep: int) -> Collection:
        collection = plan_collection(self.settings, self.store, keep)
        collect(self.settings, self.store, collection)
        return collection

    def check_whole(self, release: Release) -> None:
        """Fail unless all that a release needs lies there."""
        for what, prefix in places_of(release):
            assert self.store.list(prefix), f"{what} of {release.id} is gone"
        for part in release.parts.values():
            assert self.store.read(inputs_name(part.digest))
        if release.outcome:
            assert (self.settings.state / "logs" / "runs" / release.outcome.run / "Trainer.log").exists()
            assert all(folder.is_dir() for folder in self.runs.folders(release.outcome.run))

    def everything(self) -> Set[str]:
        state = self.settings.state
        return {path.relative_to(state).as_posix() for path in state.rglob("*") if path.is_file()}


@pytest.fixture
def local(settings: Settings) -> Local:
    return Local(settings)


def names(collection: Collection) -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {}
    for removal in collection.removals:
        found.setdefault(removal.kind, []).append(removal.name)
    return found


def hexes(release: Release, part: str) -> str:
    return release.parts[part].content.split(":")[1]


def test_what_only_an_old_release_has_is_removed(local: Local) -> None:
    old = local.deploy(units=1, data="old\n")
    kept = [local.deploy(units=units) for units in (2, 3)]
    assert old.outcome is not None
    removed = names(local.collect(2))
    assert removed == {
        "release": [f"releases/{old.id}"],
        "part": [f"data/{hexes(old, 'data')}", f"best_hyperparameters/{hexes(old, 'hyperparameters')}"],
        "inputs": sorted(inputs_name(old.parts[name].digest) for name in ("data", "hyperparameters")),
        "model": ["serving/1795000001"],
        "output": [f"root/{old.outcome.run}/{name}" for name in ("Evaluator_3", "Examples_1", "Trainer_2")],
        "logs": [f"logs/runs/{old.outcome.run}"],
    }
    gone = [old.outcome.run, *(name for found in removed.values() for name in found)]
    assert not any(name in path for name in gone for path in local.everything())
    assert [release.id for release in read_releases(local.store)] == [kept[1].id, kept[0].id]
    for release in kept:
        local.check_whole(release)
    assert not plan_collection(local.settings, local.store, 2).removals


def test_planning_removes_nothing(local: Local) -> None:
    for units in range(3):
        local.deploy(units=units)
    before = local.everything()
    assert plan_collection(local.settings, local.store, 1).removals
    assert local.everything() == before


def test_the_current_release_and_the_way_back_stay(local: Local) -> None:
    first, _ = local.deploy(units=1), local.deploy(units=2)
    back = local.roll_back()
    served = local.deploy(units=3)
    for units in range(4, 7):
        local.deploy(units=units, blessed=False)
    local.collect(1)
    stay = {release.id for release in read_releases(local.store)}
    assert back is not None
    assert {first.id, back.id, served.id} < stay
    assert len(stay) == 4
    again = local.roll_back()
    assert again is not None and again.restores == first.id


def test_what_a_kept_release_took_from_the_cache_stays(local: Local) -> None:
    old = local.deploy(units=1)
    local.deploy(units=2, cached=True)
    kept = local.deploy(units=3, cached=True)
    local.deploy(units=4)
    collection = local.collect(2)
    assert kept.outcome is not None and old.outcome is not None
    assert f"root/{old.outcome.run}/Examples_1" not in names(collection)["output"]
    assert (local.settings.folder / "root" / old.outcome.run / "Examples_1" / "out").is_dir()
    assert not (local.settings.folder / "root" / old.outcome.run / "Trainer_2").exists()
    local.check_whole(kept)


def test_the_baseline_of_the_next_run_stays(local: Local) -> None:
    """The latest blessed model is the baseline, though a rollback took its release out of service."""
    local.deploy(units=1)
    for units in (2, 3):
        local.deploy(units=units)
        local.deploy(units=10 + units, blessed=False)
    latest = [release for release in read_releases(local.store) if release.outcome and release.outcome.blessed]
    local.roll_back()
    local.roll_back()
    for units in range(20, 23):
        local.deploy(units=units, blessed=False)
    local.collect(1)
    root = local.settings.folder / "root"
    assert latest[0].outcome is not None
    assert latest[0].id not in {release.id for release in read_releases(local.store)}
    assert sorted(path.name.partition("_")[0] for path in (root / latest[0].outcome.run).iterdir()) == [
        "Evaluator",
        "Trainer",
    ]


def test_removed_outputs_are_offered_by_no_cache_and_no_resolver(local: Local) -> None:
    old = local.deploy(units=1)
    for units in (2, 3):
        local.deploy(units=units)
    assert old.outcome is not None
    key = f"key of {old.outcome.run} Trainer"
    with MetadataStore(local.runs.path) as store:
        assert find_cached(store, key) is not None
    local.collect(1)
    with MetadataStore(local.runs.path) as store:
        assert find_cached(store, key) is None
        states = {artifact.uri: state for artifact, state, _ in store.find_artifacts()}
    assert {state for uri, state in states.items() if old.outcome.run in uri} == {"DELETED"}
    assert {state for uri, state in states.items() if not Path(uri).exists()} == {"DELETED"}
    assert {state for uri, state in states.items() if Path(uri).exists()} == {"LIVE"}


FOREIGN = [
    "notes.txt",
    "current.bak",
    "lease",
    "mine/data/file",
    "data/README",
    "data/2026/train.csv",
    f"inputs/{'0' * 64}.json.bak",
    f"inputs/{'0' * 63}.json",
    f"modules/{'g' * 64}/modules.py",
    f"data/{'0' * 65}/train.csv",
    "releases/notes.txt",
    "releases/000000000000/notes.txt",
    "releases/mine/job.json",
    "serving/best/saved_model.pb",
    "serving/1795000001.zip",
    "root/mine/Trainer_1/model",
]


def test_what_is_not_ours_stays(local: Local) -> None:
    old = local.deploy(units=1)
    for units in (2, 3):
        local.deploy(units=units)
    assert old.outcome is not None
    foreign = [*FOREIGN, f"releases/{old.id}/notes.txt", f"root/{old.outcome.run}/notes.txt"]
    for name in foreign:
        local.store.write(name, b"mine")
    other_log = local.settings.state / "logs" / "runs" / "by-hand" / "Trainer.log"
    other_log.parent.mkdir()
    other_log.write_text("mine")
    collection = local.collect(1)
    assert names(collection)["release"] == [f"releases/{old.id}"]
    assert all(local.store.read(name) for name in foreign)
    assert other_log.exists()
    assert not plan_collection(local.settings, local.store, 1).removals


def test_runs_of_another_pipeline_in_the_same_state_folder_stay(
    local: Local, make_settings: Callable[..., Settings]
) -> None:
    for units in range(3):
        local.deploy(units=units)
    other = Local(make_settings(pipeline__name="other"))
    releases = [other.deploy(units=units) for units in range(3)]
    local.collect(1)
    for release in releases:
        other.check_whole(release)
    other.collect(1)
    other.check_whole(releases[-1])
    local.check_whole(read_releases(local.store)[0])


def test_a_run_under_way_keeps_its_release_and_all_that_it_may_take_from_the_cache(local: Local) -> None:
    old, _, *_ = [local.deploy(units=units) for units in range(4)]
    logs = local.settings.state / "logs" / "runs"
    run = f"{old.id}-20261201T000000"
    with hold_run(logs, run):
        collection = plan_collection(local.settings, local.store, 1)
        assert collection.running == (run,)
        assert collection.kept[old.id] == "its job may be running"
        assert set(names(collection)) == {"release", "part", "inputs", "logs"}
        collect(local.settings, local.store, collection)
        local.check_whole(old)
        shown = printed(collection_table(collection))
        assert f"All models and outputs of tasks stay, as runs are under way: {run}" in shown
    assert set(names(local.collect(1))) >= {"release", "part", "output", "model"}


def test_models_that_nothing_of_ours_names_stay(local: Local) -> None:
    local.deploy(units=1)
    local.store.write("serving/1234567890/saved_model.pb", b"mine")
    for units in (2, 3):
        local.deploy(units=units)
    assert names(local.collect(1))["model"] == ["serving/1795000001"]
    assert local.store.read("serving/1234567890/saved_model.pb")


def test_a_list_of_what_is_unused_writes_nothing(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not plan_collection(local.settings, local.store, 1).removals
    assert not local.settings.state.exists()
    for units in (1, 2, 3):
        local.deploy(units=units)
    monkeypatch.setattr(MetadataStore, "_transaction", lambda store: pytest.fail("the metadata store was written"))
    removals = plan_collection(local.settings, local.store, 1).removals
    assert removals
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert plan_collection(local.settings, local.store, 1).removals == removals


def test_a_run_of_no_known_release_forbids_a_collection(local: Local) -> None:
    for units in range(3):
        local.deploy(units=units)
    before = local.everything()
    with hold_run(local.settings.state / "logs" / "runs", "by-hand"), pytest.raises(StateError) as told:
        local.collect(1)
    assert str(told.value).startswith("run by-hand: is under way, and no release says what it reads.")
    assert local.everything() - before == {"logs/runs/by-hand/run.lock"}


def test_a_run_that_began_after_the_list_was_shown_forbids_the_removal(local: Local) -> None:
    old, *_ = [local.deploy(units=units) for units in range(4)]
    collection = plan_collection(local.settings, local.store, 1)
    before = local.everything()
    began = hold_run(local.settings.state / "logs" / "runs", f"{old.id}-20261201T000000")
    told = pytest.raises(StateError, match=r"has changed since the list of what to remove was made\. Nothing was")
    with began, told:
        collect(local.settings, local.store, collection)
    assert before <= local.everything()


@pytest.mark.programs
def test_no_run_begins_while_things_are_removed(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that wants to begin a run waits until the collection is over."""
    old, *_ = [local.deploy(units=units) for units in range(3)]
    logs = local.settings.state / "logs" / "runs"
    began = local.settings.state / "began"
    code = (
        "from pathlib import Path\nfrom esteira.local.jobs.leftovers import hold_run\n"
        f"with hold_run(Path({str(logs)!r}), '{old.id}-20261201T000000'):\n    Path({str(began)!r}).touch()\n"
    )
    started: List[subprocess.Popen[bytes]] = []
    delete = FolderStore.delete

    def observed(store: FolderStore, removed: "List[str]") -> None:
        if not started:
            started.append(subprocess.Popen([sys.executable, "-c", code]))
            with pytest.raises(subprocess.TimeoutExpired):
                started[0].wait(3)
        assert not began.exists()
        delete(store, removed)

    monkeypatch.setattr(FolderStore, "delete", observed)
    local.collect(1)
    assert started[0].wait(30) == 0
    assert began.exists()


@pytest.mark.parametrize("keep", [0, -1])
def test_a_collection_that_keeps_nothing_is_refused(local: Local, keep: int) -> None:
    with pytest.raises(SettingsError, match=f"^KEEP={keep}: expected the number of releases to keep, 1 or more"):
        plan_collection(local.settings, local.store, keep)


def test_a_manifest_that_cannot_be_read_forbids_a_collection(local: Local) -> None:
    for units in range(3):
        local.deploy(units=units)
    local.store.write("releases/0123456789ab/release.json", b'{"version": 2}')
    with pytest.raises(StateError, match="is no release that this version can read"):
        plan_collection(local.settings, local.store, 1)


def test_an_empty_store_has_nothing_to_remove(local: Local) -> None:
    collection = plan_collection(local.settings, local.store, 10)
    assert not collection.removals
    assert lines(collection_table(collection)) == ["", "Nothing is unused: there is nothing to remove."]


def test_what_killed_writers_left_is_removed_and_what_is_being_written_is_not(local: Local) -> None:
    release = local.deploy()
    corner = local.settings.folder / ".new"
    (corner / "0123456789abcdef" / "train").mkdir(parents=True)
    (corner / "0123456789abcdef" / "train" / "train.csv").write_text("half")
    with local.store._scratch.folder() as live:
        (corner / "fedcba9876543210").mkdir()
        (corner / "fedcba9876543210" / "job.json").write_text("{")
        assert names(local.collect(1)) == {"unfinished": [".new/fedcba9876543210"]}
        assert live.is_dir()
    assert list(corner.glob("*/")) == []
    local.check_whole(release)


def test_a_patch_that_no_release_came_for_is_removed(local: Local) -> None:
    local.deploy()
    name = f"patches/{'0' * 64}.patch"
    local.store.write(name, b"diff")
    assert names(local.collect(1)) == {"unfinished": [name]}
    assert local.store.list("patches") == []


def test_a_release_that_was_never_finished_is_removed(local: Local) -> None:
    """Its deploy was killed between job.json and release.json."""
    local.deploy()
    local.store.write("releases/0123456789ab/job.json", b"{}")
    assert names(local.collect(1)) == {"release": ["releases/0123456789ab"]}
    assert local.store.list("releases/0123456789ab") == []


def test_what_is_removed_and_kept_is_shown_with_sizes_and_reasons(local: Local) -> None:
    old, back, served = (local.deploy(units=units) for units in range(3))
    collection = plan_collection(local.settings, local.store, 2)
    shown = lines(collection_table(collection))
    assert old.outcome is not None
    assert shown[:4] == [
        "kept release  as it",
        f"{served.id}  is served",
        f"{back.id}  a rollback goes back to it",
        "",
    ]
    assert f"outputs of tasks   root/{old.outcome.run}" in "\n".join(shown)
    assert f"part               best_hyperparameters/{hexes(old, 'hyperparameters')[:12]}…" in "\n".join(shown)
    total = sum(removal.files for removal in collection.removals)
    assert shown[-1].split()[:3] == ["in", "all", str(total)]


def test_sizes_are_for_people() -> None:
    assert [size(value) for value in (0, 999, 1000, 15_961_671, 2_630_000_000, 10**15)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "16.0 MB",
        "2.6 GB",
        "1000.0 TB",
    ]


@pytest.mark.loopback
@pytest.mark.programs
def test_a_bucket_is_collected_too(settings: Settings, environment: Environment) -> None:
    cloud = settings.copy(update={"selected": "cloud", "environments": {"cloud": environment}})
    store = open_store(cloud)
    history = History(store)
    old = history.deploy(units=1)
    waiting = history.deploy(units=2, blessed=None)
    kept = [history.deploy(units=units) for units in (3, 4)]
    store.write("data/README", b"mine")
    store.write(f"releases/{old.id}/notes.txt", b"mine")
    collection = plan_collection(cloud, store, 1)
    assert collection.kept[waiting.id] == "its job may be running"
    assert collection.kept[old.id] == "a job that may be running may use its model"
    assert not collection.removals
    collect(cloud, store, collection)
    for release in (waiting, *kept):
        assert not missing_places(store, release)
    assert old.outcome is not None
    keep_outcome(store, waiting.id, history.outcome(waiting.id, False, True, {}))
    collection = plan_collection(cloud, store, 1)
    assert set(names(collection)) == {"release", "part", "inputs", "model"}
    assert names(collection)["model"] == ["serving/1795000001"]
    collect(cloud, store, collection)
    assert not plan_collection(cloud, store, 1).removals
    assert store.list("serving/1795000001") == []
    assert store.read("data/README") and store.read(f"releases/{old.id}/notes.txt")
    assert {release.id for release in read_releases(store)} == {release.id for release in kept}
    assert not any(missing_places(store, release) for release in kept)


Action = Tuple[str, bool]
ACTIONS = st.tuples(st.sampled_from(["deploy", "bad", "failed", "unknown", "rollback"]), st.booleans())


class KilledError(Exception):
    """Stands for kill -9."""


def act(local: Local, number: int, action: Action) -> None:
    kind, flag = action
    options: Dict[str, object] = {"units": number % 4, "data": f"{number % 3}\n", "cached": flag}
    if kind == "rollback":
        if local.history.made:
            with_target(local)
    else:
        blessed = {"deploy": True, "unknown": None}.get(kind, False)
        local.deploy(blessed=blessed, failed=kind == "failed", **options)


def with_target(local: Local) -> None:
    try:
        local.roll_back()
    except StateError:
        # Nothing was served before.
        return


@limits(max_examples=20, deadline=None)
@given(st.lists(ACTIONS, max_size=12), st.integers(1, 5), st.integers(0, 40))
def test_every_kept_release_stays_whole_whenever_a_collection_is_killed(
    tmp_path_factory: pytest.TempPathFactory, actions: List[Action], keep: int, killed_after: int
) -> None:
    root = tmp_path_factory.mktemp("root")
    local = Local(load_settings(root, {}, {}))
    for number, action in enumerate(actions):
        act(local, number, action)
    for name in FOREIGN:
        local.store.write(name, b"mine")
    current = read_pointer(local.store)
    collection = plan_collection(local.settings, local.store, keep)
    collect_and_die(local, collection, killed_after)
    check(local, collection)
    local.collect(keep)
    check(local, collection)
    assert not plan_collection(local.settings, local.store, keep).removals
    assert {release.id for release in read_releases(local.store)} == set(collection.kept)
    assert read_pointer(local.store) == current
    again = local.deploy(units=1, data="1\n")
    local.check_whole(again)


def check(local: Local, collection: Collection) -> None:
    """Fail unless every release that is still in the history is whole, and nothing of others is gone."""
    there = read_releases(local.store)
    for release in there:
        local.check_whole(release)
    assert set(collection.kept) <= {release.id for release in there}
    assert all(local.store.read(name) for name in FOREIGN)


def collect_and_die(local: Local, collection: Collection, after: int) -> None:
    """Collect, but be killed at the removal that comes after so many system calls that remove or rename."""
    calls = 0

    def counted(call: Callable[..., None]) -> Callable[..., None]:
        def wrapped(*arguments: object, **options: object) -> None:
            nonlocal calls
            calls += 1
            if calls > after:
                raise KilledError
            call(*arguments, **options)

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        for name in ("unlink", "rename", "rmdir"):
            patch.setattr(os, name, counted(getattr(os, name)))
            patch.setattr(Path, name, counted(getattr(Path, name)))
        try:
            collect(local.settings, local.store, collection)
        except KilledError:
            return
