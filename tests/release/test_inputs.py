import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Callable, Dict

import pytest

from esteira.errors import CompileError, DataError, SourceError, StateError
from esteira.jobs.bundle import bundle_modules, read_bundle
from esteira.release.inputs import Inputs, inputs_here, lay_inputs, read_inputs
from esteira.release.store import Store
from esteira.settings import Settings
from esteira.source import frozen_source
from pipeline.training_config import create_training_config
from tests.release.checkout import FILES, Checkout, make_checkout
from tests.repositories import commit_all, make_repository, run_git, write

LISTING = Inputs("modules", {"modules/é\udcff": "100644 ab"}, {"b": 2, "a": "é"})


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_checkout(tmp_path / "clone")


def inputs_of(checkout: Checkout, **flags: str) -> Dict[str, Inputs]:
    with frozen_source(checkout.root, checkout.state) as source:
        return inputs_here(checkout.settings(**flags), source)


def changed(before: Dict[str, Inputs], after: Dict[str, Inputs]) -> "list[str]":
    return [part for part in before if before[part].digest != after[part].digest]


def test_a_listing_is_the_same_bytes_in_whatever_order_it_was_made() -> None:
    assert LISTING.content() == (
        b'{"files":{"modules/\\u00e9\\udcff":"100644 ab"},"part":"modules","values":{"a":"\\u00e9","b":2}}'
    )
    other = Inputs("modules", dict(reversed(list(LISTING.files.items()))), {"a": "é", "b": 2})
    assert other.content() == LISTING.content()
    assert LISTING.digest == "sha256:" + hashlib.sha256(LISTING.content()).hexdigest()


def test_a_laid_down_listing_is_read_again(store: Store) -> None:
    lay_inputs(store, {"modules": LISTING})
    assert read_inputs(store, LISTING.digest) == LISTING
    name = f"inputs/{LISTING.digest.split(':')[1]}.json"
    before = store.read(name)
    lay_inputs(store, {"modules": LISTING})
    assert store.read(name) == before


def test_a_lost_listing_is_none_and_a_damaged_one_an_error_until_the_next_deploy(store: Store) -> None:
    assert read_inputs(store, LISTING.digest) is None
    lay_inputs(store, {"modules": LISTING})
    name = f"inputs/{LISTING.digest.split(':')[1]}.json"
    store.write(name, b"{}")
    with pytest.raises(StateError, match=rf"{name}: is damaged"):
        read_inputs(store, LISTING.digest)
    lay_inputs(store, {"modules": LISTING})
    assert read_inputs(store, LISTING.digest) == LISTING


@pytest.mark.programs
def test_a_part_is_made_of_its_files_and_values(checkout: Checkout) -> None:
    inputs = inputs_of(checkout)
    model = run_git(checkout.root, "rev-parse", "HEAD:modules/model.py")
    assert inputs["modules"].files["modules/model.py"] == f"100644 {model}"
    elsewhere = ("modules/best_hyperparameters/best.txt", "modules/create_dataset.py", "modules/dataset.txt")
    assert set(inputs["modules"].files) == {path for path in FILES if path.startswith("modules/")} - set(elsewhere)
    assert inputs["modules"].values == {}
    assert sorted(inputs["settings"].values) == [
        *("build.machine_type", "build.secrets", "build.timeout_s", "serving.latency_ms", "serving.max_batch"),
        *("serving.max_body_mb", "serving.max_rows", "serving.max_waiting", "serving.timeout_s"),
    ]
    assert inputs["settings"].values["serving.max_batch"] == 64
    assert sorted(inputs["data"].files) == [
        *("esteira/data/prepare.py", "modules/create_dataset.py", "modules/dataset.txt", "pipeline/schema.pbtxt")
    ]


@pytest.mark.programs
def test_the_files_that_count_as_modules_are_those_that_travel(checkout: Checkout) -> None:
    modules = checkout.root / "modules"
    counting = ["__init__.py", "deep/best_hyperparameters/units.py", "deep/dataset.txt", "old~/model.py", "a b"]
    for name in counting:
        write(modules / name, "")
    before = inputs_of(checkout)
    for name in (".hidden", "deep/.hidden", ".hidden.d/a.py", "model.py~", "model.pyc", "deep/__pycache__/a.txt"):
        write(modules / name, "left behind")
    write(modules / "best_hyperparameters" / "deep" / "best.txt", "")
    after = inputs_of(checkout)
    assert changed(before, after) == ["hyperparameters"]
    travelling = set(read_bundle(bundle_modules(modules)))
    assert travelling == set(after["modules"].files)
    assert travelling >= {f"modules/{name}" for name in counting}


@pytest.mark.programs
def test_a_setting_changes_the_parts_that_depend_on_it_alone(checkout: Checkout) -> None:
    before = inputs_of(checkout)
    assert changed(before, inputs_of(checkout, training__epochs="9")) == ["job"]
    assert changed(before, inputs_of(checkout, data__eval_percent="30")) == ["data"]
    assert changed(before, inputs_of(checkout, data__label_column="class")) == []
    assert changed(before, inputs_of(checkout, serving__max_batch="8")) == ["settings"]
    for flag in ("serving__port", "run__workers", "tuning__trials", "deploy__wait_s"):
        assert changed(before, inputs_of(checkout, **{flag: "9"})) == []


@pytest.mark.programs
def test_the_environment_belongs_to_the_settings(checkout: Checkout, make_settings: Callable[..., Settings]) -> None:
    table = 'project = "my-project"\nregion = "europe-west1"\nbucket = "my-bucket"\nrepository = "r"\n'
    write(checkout.root / "esteira.toml", f"[environments.dev]\n{table}")
    with frozen_source(checkout.root, checkout.state) as source:
        there = inputs_here(make_settings(checkout.root, env="dev"), source)
    assert changed(inputs_of(checkout), there) == ["settings"]
    assert there["settings"].values["environment.region"] == "europe-west1"


@pytest.mark.programs
def test_a_csv_takes_the_place_of_what_makes_the_default_data(checkout: Checkout, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("text,label\n")
    before = inputs_of(checkout)
    given = inputs_of(checkout, data__file=str(tmp_path / "mine.csv"))
    assert changed(before, given) == ["data"]
    assert given["data"].values["csv"] == "sha256:" + hashlib.sha256(b"text,label\n").hexdigest()
    assert "data.file" not in given["data"].values
    assert sorted(given["data"].files) == ["esteira/data/prepare.py", "pipeline/schema.pbtxt"]
    (tmp_path / "mine.csv").rename(tmp_path / "moved.csv")
    assert changed(given, inputs_of(checkout, data__file=str(tmp_path / "moved.csv"))) == []


@pytest.mark.programs
def test_a_csv_that_is_not_there_is_told(checkout: Checkout) -> None:
    with pytest.raises(DataError, match=r"no\.csv: no such file"):
        inputs_of(checkout, data__file="no.csv")


@pytest.mark.programs
def test_a_local_encoder_counts_as_the_pipeline_counts_it(checkout: Checkout, tmp_path: Path) -> None:
    encoder = tmp_path / "encoder"
    flags = {"training__encoder": "hub", "training__hub_module": str(encoder)}
    with pytest.raises(CompileError, match="no such folder"):
        inputs_of(checkout, **flags)
    write(encoder / "variables" / "data", "1234")
    before = inputs_of(checkout, **flags)
    config = create_training_config(checkout.settings(**flags).training)
    assert before["job"].values["hub_digest"] == config["hub_digest"]
    write(encoder / "variables" / "data", "4321")
    assert changed(before, inputs_of(checkout, **flags)) == ["job"]


@pytest.mark.programs
@pytest.mark.parametrize(
    ("path", "target", "part"),
    [
        ("modules/link.py", "../README.md", "modules"),
        ("modules/link.py", "/etc/hostname", "modules"),
        ("modules/link.py", "nowhere", "modules"),
        ("modules/link.py", "deep", "modules"),
        ("modules/link.py", "link.py", "modules"),
        ("esteira/data/link.py", "../edge.py", "data"),
        ("docker", "..", "image"),
        ("modules", "pipeline", "modules"),
    ],
)
@pytest.mark.parametrize("committed", [True, False])
def test_a_link_out_of_its_part_is_an_error(
    checkout: Checkout, path: str, target: str, part: str, committed: bool
) -> None:
    run_git(checkout.root, "rm", "-rq", "--cached", "--ignore-unmatch", path)
    if (checkout.root / path).is_dir():
        (checkout.root / path).rename(checkout.root / "old")
    (checkout.root / path).symlink_to(target)
    if committed:
        commit_all(checkout.root)
    with pytest.raises(SourceError) as caught:
        inputs_of(checkout)
    assert str(caught.value) == (
        f"{path}: is a symbolic link to {target}, which is no file of part {part}.\n"
        "Expected a relative link to a file of the same part. Put a copy of the file in its place."
    )


@pytest.mark.programs
def test_links_within_a_part_and_outside_of_all_are_none(checkout: Checkout) -> None:
    (checkout.root / "modules" / "link.py").symlink_to("deep/again.py")
    (checkout.root / "modules" / "deep" / "again.py").symlink_to("../model.py")
    (checkout.root / "notes").symlink_to("/etc")
    assert "modules/link.py" in inputs_of(checkout)["modules"].files


@pytest.mark.programs
@pytest.mark.parametrize("where", ["modules/theirs", "docker"])
@pytest.mark.parametrize("kind", ["submodule", "nested"])
def test_a_repository_in_a_part_is_an_error(checkout: Checkout, where: str, kind: str) -> None:
    run_git(checkout.root, "rm", "-rqf", "--ignore-unmatch", where)
    if kind == "submodule":
        run_git(
            *(checkout.root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(checkout.root), where)
        )
    else:
        run_git(checkout.root, "init", "-q", where)
    with pytest.raises(SourceError, match=rf"^{where}: is a repository of its own, such as a submodule"):
        inputs_of(checkout)


@pytest.mark.programs
@pytest.mark.parametrize("kind", ["submodule", "committed submodule", "nested", "nested with commits"])
def test_what_the_error_says_to_type_makes_files_of_a_repository_in_a_part(
    checkout: Checkout, tmp_path: Path, kind: str
) -> None:
    theirs = make_repository(tmp_path / "theirs", {"their code.py": "theirs\n"})
    where = "modules/a b; touch c"
    write(checkout.root / "modules" / "a", "keep\n")
    if "submodule" in kind:
        allowed = ("-c", "protocol.file.allow=always")
        run_git(checkout.root, *allowed, "submodule", "add", "-q", str(theirs), where)
    elif kind == "nested":
        run_git(checkout.root, "init", "-q", where)
        write(checkout.root / where / "their code.py", "theirs\n")
    else:
        run_git(checkout.root, "clone", "-q", str(theirs), where)
    if "committed" in kind:
        commit_all(checkout.root)
    with pytest.raises(SourceError) as caught:
        inputs_of(checkout)
    subprocess.run(str(caught.value).rpartition("Run: ")[2], shell=True, cwd=checkout.root, check=True)
    files = inputs_of(checkout)["modules"].files
    assert {"modules/a", f"{where}/their code.py", "modules/model.py"} <= set(files)


@pytest.mark.programs
def test_a_repository_outside_of_all_parts_is_no_error(checkout: Checkout) -> None:
    run_git(checkout.root, "init", "-q", "vendor/theirs")
    assert json.loads(inputs_of(checkout)["image"].content())["part"] == "image"


@pytest.mark.programs
def test_an_unreadable_csv_is_told(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.csv").write_text("")
    settings = checkout.settings(data__file=str(tmp_path / "mine.csv"))

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "open", refuse)
    with frozen_source(checkout.root, checkout.state) as source, pytest.raises(DataError) as caught:
        inputs_here(settings, source)
    assert str(caught.value) == f"{tmp_path}/mine.csv: cannot be read: Permission denied. Mend its permissions."
