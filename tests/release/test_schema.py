import json
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import jsonschema
import pytest

from esteira.errors import TemplateError
from esteira.release.manifest import manifest_name, write_release
from esteira.release.schema import PATH, check_schema, release_schema, write_schema
from esteira.release.store.folder import FolderStore
from tests.conftest import REPOSITORY
from tests.release.handmade_history import History

Manifest = Dict[str, Any]


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(FolderStore(tmp_path / "bucket"))


def manifests(history: History) -> "list[Manifest]":
    history.deploy(commit="c" * 40, dirty=True)
    history.deploy(blessed=None)
    history.deploy(blessed=False, failed=True, kind="partial")
    last = history.deploy(blessed=False)
    rollback = last.copy(update={"kind": "rollback", "restores": last.id, "id": "0" * 12})
    history.store.write(manifest_name(rollback.id), write_release(rollback))
    found = [history.store.read(entry.name) for entry in history.store.list("releases")]
    return [json.loads(stored.content) for stored in found if stored and b'"parts"' in stored.content]


def is_valid(manifest: Manifest) -> bool:
    return bool(jsonschema.Draft7Validator(release_schema()).is_valid(manifest))


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(release_schema())


def test_every_value_is_described() -> None:
    schema = release_schema()
    tables = [schema, *schema["definitions"].values()]
    properties = [item for table in tables for item in table["properties"].items()]
    undescribed = [name for name, value in properties if "description" not in value]
    assert undescribed == []


def test_manifests_of_all_kinds_are_valid(history: History) -> None:
    found = manifests(history)
    assert len(found) == 5
    for manifest in found:
        jsonschema.validate(manifest, release_schema())


BREAKS: Dict[str, Callable[[Manifest], object]] = {
    "no id": lambda m: m.pop("id"),
    "a short id": lambda m: m.update(id="abc"),
    "no parts": lambda m: m.pop("parts"),
    "a missing part": lambda m: m["parts"].pop("image"),
    "an unknown part": lambda m: m["parts"].update(extra=m["parts"]["image"]),
    "a part without digest": lambda m: m["parts"]["data"].pop("digest"),
    "a digest that is a tag": lambda m: m["parts"]["image"].update(digest="latest"),
    "a content in capitals": lambda m: m["parts"]["data"].update(content="sha256:" + "A" * 64),
    "an unknown key": lambda m: m.update(verdict="good"),
    "an unknown kind": lambda m: m.update(kind="hotfix"),
    "a later version": lambda m: m.update(version=2),
    "a short commit": lambda m: m.update(commit="abc1234"),
    "a time with a zone": lambda m: m.update(at="2026-11-22T21:30:41+01:00"),
    "a parent that is a number": lambda m: m.update(parent=1),
    "an outcome without a verdict": lambda m: m["outcome"].pop("blessed"),
    "an outcome that is a text": lambda m: m.update(outcome="blessed"),
}


@pytest.mark.parametrize("name", list(BREAKS))
def test_a_broken_manifest_is_refused(history: History, name: str) -> None:
    manifest = json.loads(write_release(history.deploy()))
    assert is_valid(manifest)
    BREAKS[name](manifest)
    assert not is_valid(manifest)


def test_the_committed_schema_is_that_of_the_types() -> None:
    check_schema(REPOSITORY)


def test_a_schema_that_drifted_is_named(tmp_path: Path) -> None:
    expected: Tuple[str, ...] = (str(PATH), "Run: make generate")
    with pytest.raises(TemplateError) as missing:
        check_schema(tmp_path)
    write_schema(tmp_path)
    check_schema(tmp_path)
    (tmp_path / PATH).write_text("{}")
    with pytest.raises(TemplateError) as other:
        check_schema(tmp_path)
    for told in (missing, other):
        assert all(text in str(told.value) for text in expected)
