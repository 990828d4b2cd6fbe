import json
from dataclasses import asdict

import pytest

from esteira.errors import StateError
from esteira.local.jobs.store import Store as Metadata
from esteira.release.inputs import inputs_name
from esteira.release.lineage import lineage_of, part_uses
from esteira.release.lineage.values import Lineage
from esteira.release.manifest import Outcome
from esteira.release.store import open_store
from tests.release.lineage.scene import Run, Scene, run_of


def trace(scene: Scene, release: str = "", model: str = "") -> Lineage:
    return lineage_of(scene.settings, open_store(scene.settings), release=release, model=model)


def states(lineage: Lineage) -> "dict[str, str]":
    return {task.name: task.state for task in lineage.tasks}


def test_the_current_release_is_told_with_parts_run_model_and_verdict(scene: Scene) -> None:
    release = scene.release()
    outputs = scene.run(release)
    scene.make_current(release)
    lineage = trace(scene)
    assert (lineage.release.id, lineage.origin.id, lineage.current) == (release.id,) * 3
    assert [part.name for part in lineage.parts] == ["image", "job", "modules", "data", "hyperparameters", "settings"]
    assert lineage.parts[2].files == {"modules/1.py": "100644 1"}
    assert states(lineage) == {
        "ExampleGen": "executed",
        "schema_importer": "imported",
        "hyperparameters_importer": "imported",
        "resolver": "resolved",
        "Trainer": "executed",
        "Evaluator": "executed",
        "Pusher": "executed",
    }
    assert lineage.model is not None and lineage.verdict is not None
    assert lineage.model.uri == outputs["Trainer.model"][0].uri
    assert lineage.model.pushed == f"{scene.store.uri}/serving/{release.id}"
    assert (lineage.verdict.blessed, lineage.verdict.task, lineage.verdict.run) == (True, "Evaluator", run_of(release))
    assert lineage.is_served and not lineage.notes and lineage.baseline is None


def test_a_task_is_told_with_the_parts_that_it_was_given(scene: Scene) -> None:
    release = scene.release()
    scene.run(release)
    given = {task.name: task.parts for task in trace(scene, release.id).tasks if task.parts}
    assert given == {
        "ExampleGen": ("data",),
        "schema_importer": ("data",),
        "hyperparameters_importer": ("hyperparameters",),
        "Trainer": ("modules",),
    }


def test_a_part_is_told_with_the_oldest_release_that_has_it(scene: Scene) -> None:
    first = scene.release()
    second = scene.release(kind="partial", parent=first.id, parts=scene.parts(modules="2"))
    since = {part.name: part.since for part in trace(scene, second.id[:6]).parts}
    assert since == {name: second.id if name == "modules" else first.id for name in since}


def test_a_rollback_has_the_lineage_of_the_release_that_it_restores(scene: Scene) -> None:
    first = scene.release()
    scene.run(first)
    second = scene.release(parent=first.id, parts=scene.parts(image="2"))
    again = scene.release(
        outcome=False, kind="rollback", parent=second.id, restores=first.id, parts=first.parts, commit=first.commit
    )
    scene.make_current(again)
    lineage = trace(scene)
    assert (lineage.release.id, lineage.origin.id, lineage.run) == (again.id, first.id, run_of(first))
    assert lineage.is_served
    assert lineage.notes == (
        f"Release {again.id} is a rollback: it restores release {first.id}, "
        "and what follows is the lineage of that one.",
    )


def test_a_rollback_whose_release_is_gone_says_so(scene: Scene) -> None:
    again = scene.release(kind="rollback", restores="0123456789ab")
    notes = trace(scene, again.id).notes
    assert notes[0] == "Release 0123456789ab, which it restores, is no longer in the history."


def test_outputs_from_the_cache_are_those_of_the_run_that_made_them(scene: Scene) -> None:
    first = scene.release()
    made = scene.run(first)
    second = scene.release(parent=first.id, parts=scene.parts(settings="2"))
    scene.run(second, cached=["ExampleGen", "Trainer"])
    lineage = trace(scene, second.id)
    assert {task.name: task.cached_from for task in lineage.tasks if task.cached_from} == {
        "ExampleGen": run_of(first),
        "Trainer": run_of(first),
    }
    assert states(lineage)["schema_importer"] == "imported"
    assert lineage.model is not None
    assert (lineage.model.uri, lineage.model.release) == (made["Trainer.model"][0].uri, first.id)
    assert (
        f"Run {run_of(first)} of release {first.id} made the model; run {run_of(second)} took it from the cache."
        in lineage.notes
    )


def test_the_baseline_is_told_with_its_release(scene: Scene) -> None:
    first = scene.release()
    earlier = scene.run(first)["Trainer.model"][0]
    second = scene.release(parent=first.id, parts=scene.parts(modules="2"))
    scene.run(second, baseline=earlier)
    lineage = trace(scene, second.id)
    assert lineage.baseline is not None
    assert (lineage.baseline.uri, lineage.baseline.run, lineage.baseline.release) == (
        earlier.uri,
        run_of(first),
        first.id,
    )
    assert not lineage.notes


def test_a_model_that_was_compared_with_itself_says_so(scene: Scene) -> None:
    first = scene.release()
    earlier = scene.run(first)["Trainer.model"][0]
    second = scene.release(parent=first.id)
    scene.run(second, cached=["Trainer"], baseline=earlier)
    assert (
        trace(scene, second.id).notes[-1]
        == "The model was compared with itself: it was the latest blessed one already."
    )


def test_a_model_that_is_not_blessed_says_why(scene: Scene) -> None:
    release = scene.release(blessed=False)
    scene.run(release, blessed=False)
    lineage = trace(scene, release.id)
    assert lineage.verdict is not None and not lineage.verdict.blessed
    assert lineage.model is not None and not lineage.model.pushed and not lineage.is_served
    assert lineage.notes == (
        "Its model is not blessed, so it was not served: macro_f1 is 0.520, expected ≥ 0.900 (baseline none)",
    )


def test_a_release_without_a_run_says_so(scene: Scene) -> None:
    release = scene.release(outcome=False)
    lineage = trace(scene, release.id)
    assert (lineage.run, lineage.tasks, lineage.model, lineage.verdict) == ("", (), None, None)
    assert lineage.notes == ("It was never run: its deploy was stopped or killed before.",)


def test_a_run_whose_deploy_was_killed_is_known_from_the_metadata(scene: Scene) -> None:
    release = scene.release(outcome=False)
    scene.run(release)
    lineage = trace(scene, release.id)
    assert (lineage.run, len(lineage.tasks)) == (run_of(release), 7)
    assert lineage.verdict is not None and lineage.verdict.blessed and not lineage.verdict.report
    assert lineage.notes == (
        f"What came of run {run_of(release)} is not known: it still runs, or its deploy was killed.",
    )


def test_a_failed_run_says_why_and_shows_how_far_it_came(scene: Scene) -> None:
    run = "f00df00df00d-20261122T213000"
    error = "task Trainer: failed with status 1.\nValueError"
    release = scene.release(outcome=False).copy(update={"outcome": Outcome(run=run, at="", blessed=False, error=error)})
    scene.store.write(f"releases/{release.id}/release.json", release.json().encode())
    with Metadata(scene.metadata_path) as metadata:
        failed = Run(metadata, run, scene.root)
        failed.task("ExampleGen", {}, {"examples": "tfx.Examples"})
        failed.failing("Trainer", module_file=f"{release.parts['modules'].uri}/modules.py")
    lineage = trace(scene, release.id)
    assert states(lineage) == {"ExampleGen": "executed", "Trainer": "failed"}
    assert lineage.model is None and lineage.verdict is None
    assert lineage.notes == ("Its run failed: task Trainer: failed with status 1.",)


def test_a_run_that_was_taken_up_again_shows_each_task_as_it_was_executed(scene: Scene) -> None:
    release = scene.release()
    with Metadata(scene.metadata_path) as metadata:
        first = Run(metadata, run_of(release), scene.root)
        first.task("ExampleGen", {}, {"examples": "tfx.Examples"})
        first.failing("Trainer")
        again = Run(metadata, run_of(release), scene.root, cached=["ExampleGen"])
        again.task("ExampleGen", {}, {"examples": "tfx.Examples"})
        again.task("Trainer", {}, {"model": "tfx.Model"})
    assert states(trace(scene, release.id)) == {"ExampleGen": "executed", "Trainer": "executed"}


def test_without_metadata_the_manifests_tell_and_none_is_made(scene: Scene) -> None:
    release = scene.release()
    scene.make_current(release)
    lineage = trace(scene)
    assert lineage.model is not None and lineage.verdict is not None
    assert (lineage.model.pushed, lineage.model.release) == (f"{scene.store.uri}/serving/{release.id}", release.id)
    assert lineage.is_served and lineage.verdict.report["metrics"]["macro_f1"] == 0.52
    assert lineage.notes == (
        f"The metadata of run {run_of(release)} is not at hand, so its tasks and artifacts are not shown.",
    )
    assert not scene.metadata_path.exists()


def test_a_model_whose_files_were_removed_is_still_told(scene: Scene) -> None:
    release = scene.release()
    model = scene.run(release)["Trainer.model"][0].uri
    with Metadata(scene.metadata_path) as metadata:
        metadata.mark_deleted([model])
    lineage = trace(scene, model=model)
    assert [artifact.uri for artifact in lineage.artifacts if artifact.removed] == [model]


def test_a_lineage_is_json(scene: Scene) -> None:
    release = scene.release(dirty=True)
    scene.run(release)
    written = json.loads(json.dumps(asdict(trace(scene, release.id))))
    assert written["release"]["patch"] == f"{scene.store.uri}/releases/{release.id}/source.patch"
    assert written["tasks"][0]["outputs"][0][0] == "examples"


def test_nothing_deployed_and_no_such_release_are_errors(scene: Scene) -> None:
    with pytest.raises(StateError, match=r"local: nothing is deployed yet\. Run: make deploy-full"):
        trace(scene)
    with pytest.raises(StateError, match="RELEASE=abc: there is no such release"):
        trace(scene, "abc")


def test_damaged_manifests_and_listings_are_passed_over(scene: Scene) -> None:
    damaged, release = scene.release(), scene.release(reason="again", kind="partial")
    scene.make_current(release)
    scene.store.write(f"releases/{damaged.id}/release.json", b"{")
    scene.store.write(inputs_name(release.parts["data"].digest), b"{}")
    lineage = trace(scene)
    assert lineage.release.id == release.id
    assert [part.name for part in lineage.parts if not part.files] == ["data"]
    uses = part_uses(scene.settings, scene.store, release.parts["data"].content)
    assert [use.releases for use in uses] == [(release.id,)]
