"""Over random edits: a deploy leaves nothing to do, each release stays whole and can be built again."""

import json
import tempfile
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from esteira.errors import CompileError, PlanError, StateError
from esteira.release.digest import digest_file, digest_files, files_below
from esteira.release.history import read_pointer, read_releases
from esteira.release.inputs import inputs_here, read_inputs
from esteira.release.manifest import JOB, PATCH, Release
from esteira.release.partition import CSV
from esteira.release.store import Store, open_store
from esteira.settings import load_settings
from esteira.source import frozen_source
from tests.release.checkout import FILES, Checkout, make_checkout
from tests.release.product import deploy
from tests.repositories import commit_all, run_git, write


class Place(NamedTuple):
    """A checkout, and the folder of the CSVs that are trained on: mine.csv is, all were."""

    checkout: Checkout
    csvs: Path

    @property
    def root(self) -> Path:
        return self.checkout.root

    @property
    def csv(self) -> Path:
        return self.csvs / "mine.csv"


Edit = Callable[[Place], None]

# An edit of the settings and the schema must be one that can be read, and a package needs its __init__.py.
TRACKED = st.sampled_from(sorted(FILES.keys() - {"esteira.toml", "pipeline/schema.pbtxt", "modules/__init__.py"}))
NEW = st.sampled_from(["modules/new.py", "modules/né w\n.py", "docker/new", "notes", "pipeline/train.log"])
PATHS = TRACKED | NEW
TEXTS = st.sampled_from(["", "one\n", "two\r\n", "no_end", "\x00no Python"])


def writing(path: str, text: str) -> Edit:
    return lambda place: write(place.root / path, text)


def deleting(path: str) -> Edit:
    return lambda place: (place.root / path).unlink(missing_ok=True)


def renaming(path: str, target: str) -> Edit:
    def edit(place: Place) -> None:
        if (place.root / path).exists():
            (place.root / target).parent.mkdir(parents=True, exist_ok=True)
            (place.root / path).rename(place.root / target)

    return edit


def switching_mode(path: str) -> Edit:
    def edit(place: Place) -> None:
        file = place.root / path
        if file.exists():
            file.chmod(file.stat().st_mode ^ 0o111)

    return edit


def setting(section: str, line: str) -> Edit:
    # Other settings are forgotten, which is an edit, too.
    return lambda place: write(place.root / "esteira.toml", f"[{section}]\n{line}\n")


def committing(place: Place) -> None:
    commit_all(place.root)


def amending(place: Place) -> None:
    run_git(place.root, "add", "--all")
    run_git(place.root, "commit", "-q", "--amend", "--allow-empty", "-m", "amended")


def going_back(place: Place) -> None:
    """Check the first commit out, as far as that overwrites no change."""
    run_git(place.root, "stash", "-q", "--include-untracked")
    run_git(place.root, "checkout", "-q", "--detach", run_git(place.root, "rev-list", "--max-parents=0", "HEAD"))


def touching_the_schema(place: Place) -> None:
    schema = place.root / "pipeline" / "schema.pbtxt"
    schema.write_text(schema.read_text() + "# more\n")


def changing_the_csv(place: Place) -> None:
    """Add rows; what the CSV was is kept beside it, to build earlier releases again."""
    versions = len(list(place.csvs.iterdir()))
    place.csv.rename(place.csvs / f"{versions}.csv")
    write_csv(place.csv, 8 + versions)


def write_csv(path: Path, rows: int) -> None:
    write(path, "text,label\n" + "".join(f"text {row},{'good' if row % 2 else 'bad'}\n" for row in range(rows)))


def deploying(place: Place) -> None:
    """Deploy what can be, which leaves nothing to do; what cannot be leaves what is served as it is."""
    store = open_store(place.checkout.settings())
    before = read_pointer(store)
    try:
        deploy_in_any_case(place)
    except (CompileError, StateError):
        assert is_broken(place)
        assert read_pointer(store) == before
        assert place.checkout.plan(data__file=str(place.csv)).kind != "none"
    else:
        assert place.checkout.plan(data__file=str(place.csv)).kind == "none"


def is_broken(place: Place) -> bool:
    """Return whether modules/ cannot be laid down, as no Python or without hyperparameters."""
    modules = place.root / "modules"
    lost = not (modules / "best_hyperparameters" / "best.txt").exists()
    return lost or any(b"\0" in path.read_bytes() for path in modules.rglob("*.py"))


def deploy_in_any_case(place: Place) -> None:
    try:
        deploy(place.checkout, place.csv)
    except PlanError:
        deploy(place.checkout, place.csv, force=True)


def forcing(place: Place) -> None:
    """Deploy again what is deployed."""
    deploying(place)
    if not is_broken(place):
        deploy(place.checkout, place.csv, force=True)


EDITS = st.one_of(
    st.builds(writing, PATHS, TEXTS),
    st.builds(deleting, PATHS),
    st.builds(renaming, PATHS, PATHS),
    st.builds(switching_mode, PATHS),
    st.builds(setting, st.just("training"), st.sampled_from(["epochs = 3", "seed = 2"])),
    st.builds(setting, st.just("gate"), st.just("macro_f1 = 0.5")),
    st.builds(setting, st.just("serving"), st.sampled_from(["max_batch = 8", "port = 1"])),
    st.sampled_from([committing, committing, amending, going_back, touching_the_schema, changing_the_csv]),
    # Most edits that are deployed by themselves take a partial deploy.
    st.builds(writing, st.sampled_from(["modules/new.py", "modules/model.py"]), TEXTS),
    st.sampled_from([deploying, deploying, forcing]),
    st.just(deploying),
)


# Each kind of deploy once, whatever is chosen at random.
STORY = [
    *(writing("modules/model.py", "one\n"), deploying),
    *(changing_the_csv, committing, deploying, forcing),
    *(writing("pipeline/pipeline.py", "two\n"), deploying),
    *(deleting("modules/best_hyperparameters/best.txt"), deploying, going_back),
]


@pytest.mark.programs
@example(STORY)
@examples(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EDITS, min_size=1, max_size=9))
def test_a_deploy_leaves_nothing_to_do_and_every_release_can_be_built_again(edits: List[Edit]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(make_checkout(Path(folder) / "clone"), Path(folder) / "csvs")
        write_csv(place.csv, 8)
        for edit in [deploying, *edits, deploying]:
            edit(place)
        store = open_store(place.checkout.settings())
        releases = read_releases(store)
        assert releases
        for release in releases:
            check_parts(store, release)
            assert rebuild(place, store, release, Path(folder) / release.id) == digests(release)


def check_parts(store: Store, release: Release) -> None:
    """Assert that all that was made for a release lies whole where its manifest and its job look for it."""
    uris = {name: part.uri for name, part in release.parts.items() if part.uri}
    assert sorted(uris) == ["data", "hyperparameters", "job", "modules"]
    for name, uri in uris.items():
        assert digest_files(files_below(Path(uri))) == release.parts[name].content
    job = store.read(f"releases/{release.id}/{JOB}")
    assert job
    bound = json.loads(job.content)
    parameters = {name: value["stringValue"] for name, value in bound["runtimeConfig"]["parameters"].items()}
    assert parameters["data_uri"] == uris["data"]
    assert parameters["modules_uri"] == f"{uris['modules']}/modules.py"
    assert parameters["hyperparameters_uri"] == uris["hyperparameters"]
    compiled = json.loads((Path(uris["job"]) / JOB).read_text())
    assert {**compiled["training"], **compiled["gate"]} == {**bound["training"], **bound["gate"]}
    assert bound["labels"]["release"] == release.id


def digests(release: Release) -> Dict[str, str]:
    return {name: part.digest for name, part in release.parts.items()}


def rebuild(place: Place, store: Store, release: Release, folder: Path) -> Dict[str, str]:
    """Return the parts' digests in a fresh clone, by the release's commit, its patch and its listings' values."""
    run_git(place.root, "clone", "-q", "--no-checkout", str(place.root), str(folder))
    run_git(folder, "checkout", "-q", "--detach", release.commit)
    patch = store.read(f"releases/{release.id}/{PATCH}")
    if patch and patch.content:
        (folder / ".git" / "patch").write_bytes(patch.content)
        run_git(folder, "apply", "--whitespace=nowarn", ".git/patch")
    state = folder / ".git" / "state"
    with frozen_source(folder, state) as source:
        settings = load_settings(folder, {"ESTEIRA_STATE": str(state)}, values_of(place, store, release))
        return {name: part.digest for name, part in inputs_here(settings, source).items()}


def values_of(place: Place, store: Store, release: Release) -> Dict[str, str]:
    """Return the settings that a release was made with, its CSV found by its digest."""
    values: Dict[str, str] = {}
    for part in release.parts.values():
        inputs = read_inputs(store, part.digest)
        assert inputs
        values.update((name, str(value)) for name, value in inputs.values.items())
    digest = values.pop(CSV)
    return {**values, "data.file": next(str(csv) for csv in place.csvs.iterdir() if digest_file(csv) == digest)}
