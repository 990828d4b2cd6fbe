"""Over random edits: a deploy leaves nothing to do, and any release can be built again from its manifest."""

import tempfile
from pathlib import Path
from typing import Callable, Dict, List

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from esteira.release.history import read_releases
from esteira.release.inputs import inputs_here, read_inputs
from esteira.release.manifest import Release
from esteira.release.store import Store, open_store
from esteira.settings import load_settings
from esteira.source import frozen_source
from tests.release.checkout import FILES, Checkout, make_checkout
from tests.repositories import commit_all, run_git, write

Edit = Callable[[Checkout], None]

# Not the settings: an edit of theirs must be one that can be read.
TRACKED = st.sampled_from(sorted(FILES.keys() - {"esteira.toml"}))
NEW = st.sampled_from(["modules/new.py", "modules/né w\n.py", "docker/new", "notes", "pipeline/train.log"])
PATHS = TRACKED | NEW
TEXTS = st.sampled_from(["", "one\n", "two\r\n", "no end", "\x00bytes"])


def writing(path: str, text: str) -> Edit:
    return lambda checkout: write(checkout.root / path, text)


def deleting(path: str) -> Edit:
    return lambda checkout: (checkout.root / path).unlink(missing_ok=True)


def renaming(path: str, target: str) -> Edit:
    def edit(checkout: Checkout) -> None:
        if (checkout.root / path).exists():
            (checkout.root / target).parent.mkdir(parents=True, exist_ok=True)
            (checkout.root / path).rename(checkout.root / target)

    return edit


def switching_mode(path: str) -> Edit:
    def edit(checkout: Checkout) -> None:
        file = checkout.root / path
        if file.exists():
            file.chmod(file.stat().st_mode ^ 0o111)

    return edit


def setting(section: str, line: str) -> Edit:
    # Other settings are forgotten, which is an edit, too.
    return lambda checkout: write(checkout.root / "esteira.toml", f"[{section}]\n{line}\n")


def committing(checkout: Checkout) -> None:
    commit_all(checkout.root)


def amending(checkout: Checkout) -> None:
    run_git(checkout.root, "add", "--all")
    run_git(checkout.root, "commit", "-q", "--amend", "--allow-empty", "-m", "amended")


def going_back(checkout: Checkout) -> None:
    """Check the first commit out, as far as that overwrites no change."""
    run_git(checkout.root, "stash", "-q", "--include-untracked")
    run_git(checkout.root, "checkout", "-q", "--detach", run_git(checkout.root, "rev-list", "--max-parents=0", "HEAD"))


def deploying(checkout: Checkout) -> None:
    checkout.deploy()


EDITS = st.one_of(
    st.builds(writing, PATHS, TEXTS),
    st.builds(deleting, PATHS),
    st.builds(renaming, PATHS, PATHS),
    st.builds(switching_mode, PATHS),
    st.builds(setting, st.just("training"), st.sampled_from(["epochs = 3", "seed = 2"])),
    st.builds(setting, st.just("gate"), st.just("macro_f1 = 0.5")),
    st.builds(setting, st.just("serving"), st.sampled_from(["max_batch = 8", "port = 1"])),
    st.sampled_from([committing, committing, amending, going_back, deploying, deploying]),
)


@pytest.mark.programs
@examples(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(EDITS, min_size=1, max_size=9))
def test_a_deploy_leaves_nothing_to_do_and_every_release_can_be_built_again(edits: List[Edit]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        checkout = make_checkout(Path(folder) / "clone")
        for edit in [*edits, deploying]:
            edit(checkout)
            if edit is deploying:
                assert checkout.plan().kind == "none"
        store = open_store(checkout.settings())
        for release in read_releases(store):
            assert rebuild(checkout, store, release, Path(folder) / release.id) == digests(release)


def digests(release: Release) -> Dict[str, str]:
    return {name: part.digest for name, part in release.parts.items()}


def rebuild(checkout: Checkout, store: Store, release: Release, folder: Path) -> Dict[str, str]:
    """Return the parts' digests in a fresh clone, by the release's commit, its patch and its listings' values."""
    run_git(checkout.root, "clone", "-q", "--no-checkout", str(checkout.root), str(folder))
    run_git(folder, "checkout", "-q", "--detach", release.commit)
    patch = store.read(f"releases/{release.id}/source.patch")
    if patch and patch.content:
        (folder / ".git" / "patch").write_bytes(patch.content)
        run_git(folder, "apply", "--whitespace=nowarn", ".git/patch")
    state = folder / ".git" / "state"
    with frozen_source(folder, state) as source:
        settings = load_settings(folder, {"ESTEIRA_STATE": str(state)}, values_of(store, release))
        return {name: part.digest for name, part in inputs_here(settings, source).items()}


def values_of(store: Store, release: Release) -> Dict[str, str]:
    values: Dict[str, str] = {}
    for part in release.parts.values():
        inputs = read_inputs(store, part.digest)
        assert inputs
        values.update((name, str(value)) for name, value in inputs.values.items())
    return values
