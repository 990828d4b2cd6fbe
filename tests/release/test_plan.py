import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

from esteira.release.changes import FileChange, ValueChange
from esteira.release.history import read_pointer
from esteira.release.manifest import manifest_name, write_release
from esteira.release.parts import lay_part
from esteira.release.plan import Plan
from esteira.release.store import open_store
from tests.conftest import REPOSITORY
from tests.release.checkout import FILES, Checkout, make_checkout
from tests.repositories import commit_all, run_git, write

pytestmark = pytest.mark.programs

# The files of a part that is made of one, and the kind of deploy that its change takes.
EDITS = [
    ("docker/runtime.toml", "full", ["image"]),
    ("esteira/edge.py", "full", ["image", "job"]),
    ("esteira/data/prepare.py", "full", ["image", "job", "data"]),
    ("modules/model.py", "partial", ["modules"]),
    ("modules/create_dataset.py", "partial", ["data"]),
    ("modules/best_hyperparameters/best.txt", "partial", ["hyperparameters"]),
    ("cloudbuild/full.yaml.j2", "partial", ["settings"]),
    ("README.md", "none", []),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path / "clone")


@pytest.fixture
def deployed(checkout: Checkout) -> Checkout:
    """Return the checkout, and what is in it deployed."""
    checkout.deploy()
    return checkout


def parts_of(plan: Plan) -> List[str]:
    return [change.part for change in plan.changes]


def files_of(plan: Plan) -> List[Tuple[str, str, str]]:
    return [(file.what, file.was, file.path) for change in plan.changes for file in change.files]


def move_to(checkout: Checkout, root: Path) -> Checkout:
    """Return another clone with the same environment."""
    return Checkout(root, checkout.state)


def test_the_first_deploy_is_full_and_says_why(checkout: Checkout) -> None:
    plan = checkout.plan()
    assert (plan.kind, plan.reasons, plan.reason) == ("full", ["nothing is deployed yet"], "nothing is deployed yet")
    assert (plan.parent, plan.generation, plan.older) == (None, 0, False)
    assert parts_of(plan) == list(plan.parts)


def test_after_a_deploy_there_is_nothing_to_do(deployed: Checkout) -> None:
    plan = deployed.plan()
    pointer = read_pointer(open_store(deployed.settings()))
    assert (plan.kind, plan.reason, plan.changes) == ("none", "", [])
    assert (plan.parent, plan.generation) == (pointer.release, pointer.generation)
    assert (plan.commit, plan.dirty) == (run_git(deployed.root, "rev-parse", "HEAD"), False)


@pytest.mark.parametrize(("path", "kind", "parts"), EDITS)
def test_an_edit_takes_the_deploy_of_its_parts(deployed: Checkout, path: str, kind: str, parts: List[str]) -> None:
    write(deployed.root / path, "edited\n")
    plan = deployed.plan()
    assert (plan.kind, parts_of(plan), plan.dirty) == (kind, parts, True)
    commit_all(deployed.root)
    committed = deployed.plan()
    assert (committed.kind, parts_of(committed), committed.dirty) == (kind, parts, False)
    assert committed.parts == plan.parts


def test_every_kind_of_change_of_a_file_counts_and_is_told(deployed: Checkout) -> None:
    modules = deployed.root / "modules"
    modules.joinpath("model.py").rename(modules / "network.py")
    modules.joinpath("deep", "features.py").chmod(0o755)
    write(modules / "new.py", "new\n")
    assert files_of(deployed.plan()) == [
        ("mode", "", "modules/deep/features.py"),
        ("renamed", "modules/model.py", "modules/network.py"),
        ("added", "", "modules/new.py"),
    ]
    deployed.deploy()
    (modules / "new.py").unlink()
    write(modules / "network.py", "edited\n")
    assert files_of(deployed.plan()) == [("changed", "", "modules/network.py"), ("removed", "", "modules/new.py")]


def test_an_ignored_file_does_not_count(deployed: Checkout) -> None:
    write(deployed.root / "modules" / "train.log", "log\n")
    assert deployed.plan().kind == "none"
    run_git(deployed.root, "add", "--force", "modules/train.log")
    assert files_of(deployed.plan()) == [("added", "", "modules/train.log")]


def test_a_plan_of_a_commit_in_a_full_clone_writes_nothing(deployed: Checkout) -> None:
    write(deployed.root / "modules" / "model.py", "edited\n")
    commit_all(deployed.root)
    known = {path: path.stat().st_mtime_ns for path in deployed.root.parent.rglob("*")}
    assert deployed.plan().kind == "partial"
    assert {path: path.stat().st_mtime_ns for path in deployed.root.parent.rglob("*")} == known


def test_a_setting_counts_with_its_old_and_new_value(deployed: Checkout) -> None:
    plan = deployed.plan(training__epochs="9")
    assert plan.kind == "full"
    assert plan.changes[0].values == [ValueChange(name="training.epochs", old=8, new=9)]
    assert plan.reason == "job: training.epochs 8 -> 9"


def test_data_of_ones_own_counts_by_its_content(deployed: Checkout) -> None:
    write(deployed.root / "mine.csv", "text,label\n")
    plan = deployed.plan(data__file="mine.csv")
    assert (plan.kind, parts_of(plan), plan.dirty) == ("partial", ["data"], False)
    deployed.deploy(data__file="mine.csv")
    assert deployed.plan(data__file="mine.csv").kind == "none"
    write(deployed.root / "mine.csv", "TEXT,label\n")
    assert parts_of(deployed.plan(data__file="mine.csv")) == ["data"]


def test_an_edit_made_after_the_plan_is_not_deployed(deployed: Checkout) -> None:
    write(deployed.root / "modules" / "model.py", "one\n")
    with deployed.frozen() as (plan, source, inputs):
        write(deployed.root / "modules" / "model.py", "two\n")
        assert inputs["modules"].files["modules/model.py"] == source.files["modules/model.py"]
    assert deployed.plan().parts["modules"] != plan.parts["modules"]


# Order and safety.


def test_an_older_commit_than_the_deployed_one_is_told(checkout: Checkout) -> None:
    first = run_git(checkout.root, "rev-parse", "HEAD")
    write(checkout.root / "modules" / "model.py", "second\n")
    commit_all(checkout.root)
    checkout.deploy()
    run_git(checkout.root, "checkout", "-q", first)
    plan = checkout.plan()
    assert (plan.older, plan.kind, plan.reasons) == (True, "partial", [])
    write(checkout.root / "README.md", "edited\n")
    assert checkout.plan().older
    checkout.deploy()
    assert (checkout.plan().kind, checkout.plan().older) == ("none", False)


def test_another_branch_is_a_full_deploy_even_if_all_parts_are_equal(checkout: Checkout) -> None:
    run_git(checkout.root, "checkout", "-q", "-b", "other")
    there = commit_all(checkout.root, "there")
    release = checkout.deploy()
    run_git(checkout.root, "checkout", "-q", "main")
    commit_all(checkout.root, "here")
    plan = checkout.plan()
    assert (plan.kind, plan.changes, plan.older) == ("full", [], False)
    assert plan.reason == (
        f"commit {there[:7]}, which release {release.id} was made of, "
        "is not in the history of what is here: another branch, or a forced push"
    )


def test_an_unknown_commit_is_a_full_deploy(deployed: Checkout, tmp_path: Path) -> None:
    fresh = move_to(deployed, make_checkout(tmp_path / "unrelated").root)
    commit_all(fresh.root, "of its own")
    before = run_git(deployed.root, "rev-parse", "HEAD")
    run_git(deployed.root, "commit", "-q", "--amend", "-m", "amended")
    deployed.deploy()
    plan = fresh.plan()
    assert (plan.kind, plan.changes) == ("full", [])
    amended = run_git(deployed.root, "rev-parse", "--short=7", "HEAD")
    assert before[:7] != amended
    assert plan.reason == (
        f"commit {amended}, which release {plan.parent} was made of, "
        "is unknown here, and there is no remote origin to ask"
    )


def test_a_release_made_before_the_first_commit_is_in_every_history(tmp_path: Path) -> None:
    root = tmp_path / "new"
    for path, text in FILES.items():
        write(root / path, text)
    run_git(root, "init", "-q", "-b", "main")
    checkout = Checkout(root, tmp_path / "state")
    assert checkout.deploy().commit == ""
    assert checkout.plan().kind == "none"
    commit_all(root)
    assert (checkout.plan().kind, checkout.plan().reasons) == ("none", [])


# What is lost.


def lay_down_modules(checkout: Checkout, tmp_path: Path) -> Path:
    """Deploy, so that the release's modules lie in the store as two files; return their folder."""
    store, release = open_store(checkout.settings()), checkout.deploy()
    write(tmp_path / "modules.py", "bundle\n")
    files = [(name, tmp_path / "modules.py") for name in ("modules.py", "more.py")]
    part = lay_part(store, "modules", release.parts["modules"].digest, files)
    laid = release.copy(update={"parts": {**release.parts, "modules": part}})
    store.write(manifest_name(release.id), write_release(laid))
    return Path(part.uri)


def test_a_part_is_looked_for_where_the_store_is_now(checkout: Checkout, tmp_path: Path) -> None:
    lay_down_modules(checkout, tmp_path)
    moved = Checkout(checkout.root, checkout.state.rename(tmp_path / "moved"))
    assert moved.plan().kind == "none"
    shutil.rmtree(Path(open_store(moved.settings()).uri) / "modules")
    assert parts_of(moved.plan()) == ["modules"]


def test_a_part_that_is_gone_from_the_store_is_deployed_again(checkout: Checkout, tmp_path: Path) -> None:
    folder = lay_down_modules(checkout, tmp_path)
    write(folder / "__pycache__" / "modules.pyc", "Python's own\n")
    assert checkout.plan().kind == "none"
    (folder / "modules.py").unlink()
    plan = checkout.plan()
    assert (plan.kind, parts_of(plan), plan.changes[0].lost) == ("partial", ["modules"], True)
    assert plan.reason == "modules: gone from the store"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("{}")])
def test_without_the_old_list_a_change_is_known_by_its_digest(
    deployed: Checkout, damage: Callable[[Path], object]
) -> None:
    for listing in (Path(open_store(deployed.settings()).uri) / "inputs").iterdir():
        damage(listing)
    assert deployed.plan().kind == "none"
    write(deployed.root / "modules" / "model.py", "edited\n")
    plan = deployed.plan()
    assert (plan.kind, plan.changes[0].listed, plan.changes[0].files) == ("partial", False, [])
    assert plan.reason == "modules: the list of what it was made of is lost"


def test_a_release_that_is_lost_is_a_full_deploy(deployed: Checkout) -> None:
    release = deployed.plan().parent
    (Path(open_store(deployed.settings()).uri) / "releases" / str(release) / "release.json").unlink()
    plan = deployed.plan()
    assert (plan.kind, plan.parent) == ("full", None)
    assert plan.reason == f"release {release}, which is deployed, is lost from the store"
    deployed.deploy()
    assert deployed.plan().kind == "none"


# The same plan everywhere.


def in_a_clone(root: Path, there: Path) -> None:
    run_git(root, "clone", "-q", str(root), str(there))


def in_a_shallow_clone(root: Path, there: Path) -> None:
    run_git(root, "clone", "-q", "--depth", "1", root.as_uri(), str(there))


def in_a_worktree(root: Path, there: Path) -> None:
    run_git(root, "worktree", "add", "-q", str(there))


def with_line_ends_of_windows(root: Path, there: Path) -> None:
    run_git(root, "-c", "core.autocrlf=true", "clone", "-q", "-c", "core.autocrlf=true", str(root), str(there))
    assert b"\r\n" in (there / "tasks.py").read_bytes()
    os.utime(there / "tasks.py", (1e9, 1e9))


@pytest.mark.parametrize("way", [in_a_clone, in_a_shallow_clone, in_a_worktree, with_line_ends_of_windows])
def test_the_plan_is_the_same(deployed: Checkout, tmp_path: Path, way: Callable[[Path, Path], None]) -> None:
    write(deployed.root / "modules" / "model.py", "edited\n")
    write(deployed.root / "modules" / "né w.py", "new\n")
    commit_all(deployed.root)
    way(deployed.root, tmp_path / "there")
    there = move_to(deployed, tmp_path / "there")
    assert there.plan() == deployed.plan()
    for checkout in (there, deployed):
        write(checkout.root / "modules" / "model.py", "edited again\n")
        write(checkout.root / "modules" / "untracked", "new\n")
    assert there.plan() == deployed.plan()


PROGRAM = """
import os, sys
os.umask(0o077)
sys.path.insert(0, {repository!r})
from pathlib import Path
from tests.release.checkout import Checkout
print(Checkout(Path({root!r}), Path({state!r})).plan().json())
"""


def test_user_umask_clock_zone_and_language_change_nothing(deployed: Checkout, tmp_path: Path) -> None:
    write(deployed.root / "modules" / "é.py", "new\n")
    os.chmod(deployed.root / "modules" / "é.py", 0o600)
    names: Dict[str, str] = {"repository": str(REPOSITORY), "root": str(deployed.root), "state": str(deployed.state)}
    environ = {
        **{"PATH": os.environ["PATH"], "HOME": str(tmp_path), "USER": "someone", "PYTHONUTF8": "1"},
        **{"TZ": "Pacific/Auckland", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"},
    }
    command = [sys.executable, "-c", PROGRAM.format(**names)]
    printed = subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout
    assert Plan.parse_raw(printed) == deployed.plan()


def test_changes_of_many_files_are_shown_as_few_in_a_reason(deployed: Checkout) -> None:
    for number in range(9):
        write(deployed.root / "modules" / f"{number}.py", f"{number}\n")
    assert deployed.plan().reason == ("modules: added modules/0.py, added modules/1.py, added modules/2.py and 6 more")
    assert deployed.plan().changes[0].files[0] == FileChange(path="modules/0.py", what="added")


def test_a_long_reason_is_cut_to_what_a_substitution_holds(deployed: Checkout) -> None:
    for number in range(3):
        write(deployed.root / "modules" / f"{'é' * 90}" / f"{'ü' * 90}{number}.py", "new\n")
    reason = deployed.plan().reason
    assert reason.startswith("modules: added modules/éé") and reason.endswith("ü…")
    assert 990 < len(json.dumps(reason)) - 2 <= 1000
