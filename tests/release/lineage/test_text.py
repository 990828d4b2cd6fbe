from typing import Any

import pytest
from rich.console import Console

from esteira.release.lineage import lineage_of, part_uses
from esteira.release.lineage.text import lineage_text, uses_text
from tests.release.lineage.scene import Scene, run_of


def printed(shown: Any) -> "list[str]":
    console = Console(soft_wrap=True, highlight=False, width=80, no_color=True)
    with console.capture() as captured:
        console.print(shown, markup=False)
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.fixture
def lines(scene: Scene) -> "list[str]":
    """The text of a release that took its examples from the cache, with the ids and the store left out."""
    first = scene.release()
    baseline = scene.run(first)["Trainer.model"][0]
    second = scene.release(
        kind="partial", parent=first.id, parts=scene.parts(modules="2"), dirty=True, reason="modules [bold]changed[/]"
    )
    scene.run(second, cached=["ExampleGen"], baseline=baseline)
    scene.make_current(second)
    text = "\n".join(printed(lineage_text(lineage_of(scene.settings, scene.store))))
    for name, known in (
        ("SECOND-RUN", run_of(second)),
        ("FIRST-RUN", run_of(first)),
        ("SECOND", second.id),
        ("FIRST", first.id),
    ):
        text = text.replace(known, name)
    return text.replace(scene.store.uri, "STORE").splitlines()


def squeezed(lines: "list[str]") -> "list[str]":
    return [" ".join(line.split()) for line in lines]


def test_the_facts_come_first(lines: "list[str]") -> None:
    assert squeezed(lines)[:11] == [
        "release SECOND (partial), made 2026-11-22T21:02:00Z by ana@laptop",
        "modules [bold]changed[/]",
        f"commit {'c' * 40} with uncommitted changes: releases/SECOND/source.patch",
        "parent FIRST",
        "model pushed to serving/SECOND",
        "made by run SECOND-RUN of release SECOND",
        "root/SECOND-RUN/Trainer_12/model",
        "baseline made by run FIRST-RUN of release FIRST",
        "root/FIRST-RUN/Trainer_5/model",
        "blessed yes, said Evaluator of run SECOND-RUN",
        "served yes, by the current release SECOND",
    ]


def test_parts_tasks_artifacts_and_figures_follow(lines: "list[str]") -> None:
    text = squeezed(lines)
    since = {line.split()[0]: line.split()[2] for line in text if " 1 file" in line}
    assert since == {
        "modules": "this",
        **{name: "FIRST" for name in ("image", "job", "data", "hyperparameters", "settings")},
    }
    assert "ExampleGen 0.0 cached from FIRST-RUN" in text
    assert "Examples ExampleGen of run FIRST-RUN root/FIRST-RUN/ExampleGen_1/examples" in text
    assert "PushedModel Pusher serving/SECOND" in text
    assert any(line.startswith("macro_f1 0.520 ≥ 0.400 ") for line in text)


def test_the_readers_of_a_part_are_a_table(scene: Scene) -> None:
    release = scene.release()
    scene.run(release)
    part = release.parts["hyperparameters"]
    assert squeezed(printed(uses_text(part_uses(scene.settings, scene.store, part.digest)))) == [
        f"part hyperparameters {part.digest}",
        f"place {part.uri}",
        f"releases {release.id}",
        "read by run of release tasks",
        f"{run_of(release)} {release.id} hyperparameters_importer (imported), Trainer (executed)",
    ]
