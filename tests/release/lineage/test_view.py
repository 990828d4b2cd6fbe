import json

import pytest
from rich.console import Console

from esteira.errors import SettingsError
from esteira.release.lineage.view import show_lineage
from tests.release.lineage.scene import Scene


def printed(shown: object) -> str:
    console = Console(soft_wrap=True, highlight=False)
    with console.capture() as captured:
        console.print(shown, markup=False)
    return captured.get()


def test_a_lineage_is_told_and_drawn(scene: Scene) -> None:
    release = scene.release()
    scene.run(release)
    picture = scene.settings.state / "lineage" / f"{release.id}.html"
    assert f"picture  {picture}" in printed(show_lineage(scene.settings, release.id, None, None, None))
    assert picture.is_file()


def test_a_lineage_is_told_where_its_picture_cannot_be_written(scene: Scene) -> None:
    release = scene.release()
    (scene.settings.state / "lineage").write_text("in the way")
    shown = printed(show_lineage(scene.settings, release.id, None, None, None))
    assert f"release   {release.id}" in shown
    assert f"picture  none: {scene.settings.state}" in shown


def test_a_patch_that_was_never_written_is_not_named(scene: Scene) -> None:
    release = scene.release(dirty=True)
    scene.store.delete([f"releases/{release.id}/source.patch"])
    shown = printed(show_lineage(scene.settings, release.id, None, None, None))
    assert "with uncommitted changes" in shown and "source.patch" not in shown
    assert "source.patch" not in (scene.settings.state / "lineage" / f"{release.id}.html").read_text()


def test_json_is_the_whole_lineage_and_draws_nothing(scene: Scene) -> None:
    release = scene.release()
    scene.run(release)
    model = f"{scene.store.uri}/serving/{release.id}"
    lineage = json.loads(printed(show_lineage(scene.settings, None, model, None, "json")))
    assert (lineage["release"]["id"], len(lineage["tasks"])) == (release.id, 7)
    (use,) = json.loads(printed(show_lineage(scene.settings, None, None, release.parts["job"].digest, "json")))
    assert use["releases"] == [release.id]
    assert not (scene.settings.state / "lineage").exists()


def test_a_part_is_told(scene: Scene) -> None:
    part = scene.release().parts["data"]
    assert part.uri in printed(show_lineage(scene.settings, None, None, part.digest, None))


def test_two_things_at_once_and_an_unknown_format_are_errors(scene: Scene) -> None:
    with pytest.raises(SettingsError, match="RELEASE and PART: make lineage takes one of RELEASE, MODEL, PART"):
        show_lineage(scene.settings, "abc", None, "def", None)
    with pytest.raises(SettingsError, match="FORMAT=xml: expected table or json"):
        show_lineage(scene.settings, None, None, None, "xml")
