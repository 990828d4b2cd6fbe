"""Only images in the registry path that is pushed to, by digest, are taken from."""

from pathlib import Path

import pytest

from esteira.images.former.choose import former_references
from esteira.settings import Settings, load_settings
from tests.images.former.specification import CLOUD

DIGEST = f"sha256:{'a' * 64}"
TEAM = "registry.test/team"


def settings_of(folder: Path, env: str = "", **flags: str) -> Settings:
    (folder / "esteira.toml").write_text(CLOUD)
    named = {key.replace("__", "."): text for key, text in flags.items()}
    return load_settings(folder, {"ESTEIRA_ENV": env}, named)


@pytest.mark.parametrize(
    "image",
    [
        "",
        "/state/images/blobs/sha256/aa",
        f"{TEAM}/runtime:tag",
        f"other.test/team/runtime@{DIGEST}",
        f"{TEAM}/more/runtime@{DIGEST}",
        f"registry.test/runtime@{DIGEST}",
    ],
)
def test_others_are_not_taken_from(tmp_path: Path, image: str) -> None:
    settings = settings_of(tmp_path, images__registry=TEAM)
    runtime, builder = f"{TEAM}/runtime@{DIGEST}", f"{TEAM}/builder@{DIGEST}"
    found = former_references(settings, [image, runtime, builder, runtime])
    assert list(map(str, found)) == [runtime, builder]


def test_without_a_registry_there_is_none(tmp_path: Path) -> None:
    assert former_references(settings_of(tmp_path), [f"{TEAM}/runtime@{DIGEST}", f"/runtime@{DIGEST}"]) == []


def test_containers_that_run_here_need_all_of_an_image_here(tmp_path: Path) -> None:
    here = settings_of(tmp_path, images__registry=TEAM, run__isolation="container")
    assert former_references(here, [f"{TEAM}/runtime@{DIGEST}"]) == []
    there = settings_of(tmp_path, "dev", run__isolation="container")
    image = f"{there.registry}/runtime@{DIGEST}"
    assert list(map(str, former_references(there, [image]))) == [image]
