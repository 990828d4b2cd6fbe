import pytest

from esteira.errors import StateError
from esteira.release.lineage import part_uses
from tests.release.lineage.scene import Scene, run_of


def test_a_part_is_found_by_digest_and_by_content(scene: Scene) -> None:
    part = scene.release().parts["modules"]
    for text in (part.digest, part.digest[:15], part.digest[7:12], part.content, part.content[7:20]):
        (use,) = part_uses(scene.settings, scene.store, text)
        assert (use.name, use.digest, use.uri) == ("modules", part.digest, part.uri)


def test_its_releases_and_the_runs_that_read_it_are_told_the_newest_first(scene: Scene) -> None:
    first = scene.release()
    scene.run(first)
    second = scene.release(parts=scene.parts(modules="2"))
    scene.run(second, cached=["ExampleGen"])
    other = scene.release(parts=scene.parts(data="2"))
    scene.run(other)
    (use,) = part_uses(scene.settings, scene.store, first.parts["data"].digest)
    assert use.releases == (second.id, first.id)
    assert [(reader.run, reader.release) for reader in use.readers] == [
        (run_of(second), second.id),
        (run_of(first), first.id),
    ]
    assert use.readers[0].tasks == (("ExampleGen", "cached"), ("schema_importer", "imported"), ("Trainer", "executed"))


def test_a_run_whose_release_is_gone_still_read_it(scene: Scene) -> None:
    first, second = scene.release(), scene.release(parts=scene.parts(modules="2"))
    scene.run(first)
    scene.store.delete([f"releases/{first.id}/release.json"])
    (use,) = part_uses(scene.settings, scene.store, second.parts["hyperparameters"].digest)
    tasks = (("hyperparameters_importer", "imported"), ("Trainer", "executed"))
    assert [(reader.run, reader.release, reader.tasks) for reader in use.readers] == [
        (run_of(second), second.id, ()),
        (run_of(first), "", tasks),
    ]


def test_a_part_with_no_place_is_read_by_the_runs_of_its_releases(scene: Scene) -> None:
    release = scene.release()
    scene.run(release)
    scene.release(outcome=False, parts=scene.parts(data="2"))
    (use,) = part_uses(scene.settings, scene.store, release.parts["image"].digest)
    assert len(use.releases) == 2
    assert [(reader.run, reader.tasks) for reader in use.readers] == [(run_of(release), ())]


def test_a_place_whose_name_begins_with_the_parts_is_another(scene: Scene) -> None:
    release = scene.release()
    longer = release.parts["data"].copy(update={"uri": f"{release.parts['data'].uri}0", "digest": "sha256:ffff0"})
    scene.run(scene.release(parts={**release.parts, "data": longer}))
    (use,) = part_uses(scene.settings, scene.store, release.parts["data"].digest)
    assert [reader.tasks for reader in use.readers] == [()]


def test_a_part_that_no_release_has_is_an_error(scene: Scene) -> None:
    scene.release()
    with pytest.raises(StateError, match="PART=123456: no release has a part with this digest or content"):
        part_uses(scene.settings, scene.store, "123456")
    with pytest.raises(StateError, match="PART=sha256:12: is too short. Expected 4 digits of a digest or more"):
        part_uses(scene.settings, scene.store, "sha256:12")
