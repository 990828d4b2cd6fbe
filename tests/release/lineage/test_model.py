import os
from pathlib import Path

import pytest

from esteira.errors import StateError
from esteira.release.lineage import lineage_of
from esteira.release.lineage.model import places_above
from esteira.release.lineage.values import Lineage
from tests.release.lineage.scene import Scene, run_of


def of_model(scene: Scene, model: str) -> Lineage:
    return lineage_of(scene.settings, scene.store, model=model)


def test_a_pushed_model_a_trained_one_and_a_file_of_it_lead_to_their_run(scene: Scene) -> None:
    release, other = scene.release(), scene.release(parts=scene.parts(data="2"))
    trained = scene.run(release)["Trainer.model"][0].uri
    scene.run(other)
    pushed = f"{scene.store.uri}/serving/{release.id}"
    for model in (pushed, f"{pushed}/", f"{pushed}/saved_model.pb", trained, f"{trained}/Format-Serving"):
        lineage = of_model(scene, model)
        assert (lineage.release.id, lineage.run) == (release.id, run_of(release))


def test_a_relative_place_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    release = scene.release()
    scene.run(release)
    monkeypatch.chdir(Path(scene.store.uri))
    assert of_model(scene, f"serving{os.sep}{release.id}").release.id == release.id


def test_a_model_from_the_cache_leads_to_the_run_that_made_it(scene: Scene) -> None:
    first, second = scene.release(), scene.release(parts=scene.parts(settings="2"))
    trained = scene.run(first)["Trainer.model"][0].uri
    scene.run(second, cached=["Trainer"])
    assert of_model(scene, trained).release.id == first.id
    assert of_model(scene, f"{scene.store.uri}/serving/{second.id}").release.id == second.id


def test_a_run_that_only_compared_with_a_model_is_not_taken_for_its_maker(scene: Scene) -> None:
    first = scene.release()
    baseline = scene.run(first)["Trainer.model"][0]
    second = scene.release(parts=scene.parts(modules="2"))
    scene.run(second, baseline=baseline)
    scene.store.delete([f"releases/{first.id}/release.json"])
    with pytest.raises(StateError, match=f"was made by run {run_of(first)}, whose release is no longer in the history"):
        of_model(scene, baseline.uri)


def test_where_the_maker_is_gone_the_release_that_took_its_model_tells(scene: Scene) -> None:
    first, second = scene.release(), scene.release(parts=scene.parts(settings="2"))
    trained = scene.run(first)["Trainer.model"][0].uri
    scene.run(second, cached=["Trainer"])
    scene.store.delete([f"releases/{first.id}/release.json"])
    lineage = of_model(scene, trained)
    assert lineage.release.id == second.id
    assert f"Run {run_of(first)} (its release is no longer in the history) made the model" in lineage.notes[0]


def test_without_metadata_the_first_release_that_served_it_tells(scene: Scene) -> None:
    release = scene.release()
    scene.release(kind="rollback", restores=release.id, parts=release.parts)
    assert of_model(scene, f"{scene.store.uri}/serving/{release.id}").release.id == release.id


def test_what_is_no_model_is_an_error(scene: Scene, tmp_path: Path) -> None:
    release = scene.release()
    examples = scene.run(release)["ExampleGen.examples"][0].uri
    for place in (str(tmp_path), examples, "gs://bucket/serving/1"):
        with pytest.raises(StateError, match=f"^MODEL={place}: is no model of a release"):
            of_model(scene, place)


def test_the_places_above_end_at_a_root_or_a_bucket() -> None:
    assert list(places_above("/a/b/c")) == ["/a/b/c", "/a/b", "/a"]
    assert list(places_above("gs://a/b")) == ["gs://a/b", "gs://a"]
