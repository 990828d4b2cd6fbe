import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, List

import pytest

from esteira.errors import StateError
from esteira.release.lineage import lineage_of
from esteira.release.lineage.graph import draw_graph
from esteira.release.lineage.picture import render_picture, turn, write_picture
from esteira.release.lineage.values import Lineage
from tests.release.lineage.scene import Scene

EVIL = "<script>alert(1)</script>\"'&]]>"
# Elements that have no end.
VOID = ("meta",)


class Page(HTMLParser):
    """A page's elements, which must be nested well, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: List[str] = []
        self.tags: List[str] = []
        self.texts: List[str] = []
        self.attributes: List[Any] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def lineage(scene: Scene) -> Lineage:
    first = scene.release()
    baseline = scene.run(first)["Trainer.model"][0]
    second = scene.release(parent=first.id, parts=scene.parts(modules="2"), reason=EVIL, by=EVIL, dirty=True)
    scene.run(second, cached=["ExampleGen"], baseline=baseline)
    scene.make_current(second)
    return lineage_of(scene.settings, scene.store)


def test_the_page_shows_every_box_with_its_places_and_digests(lineage: Lineage) -> None:
    page = Page(render_picture(lineage))
    said = "\n".join(page.texts)
    assert page.tags.count("g") == len(draw_graph(lineage).boxes)
    for part in lineage.parts:
        assert part.digest in said and part.uri in said
    for artifact in lineage.artifacts:
        assert artifact.uri in said
    assert "baseline_model" in said and "≥ 0.400" in said


def test_a_csv_stands_beside_the_commit(scene: Scene) -> None:
    csv = f"sha256:{'ab' * 32}"
    release = scene.release(parts={**scene.parts(), "data": scene.part("data", "1", "data", csv=csv)})
    scene.run(release)
    graph = draw_graph(lineage_of(scene.settings, scene.store, release=release.id))
    assert [box.lines for box in graph.boxes if box.name == "csv"] == [("CSV file", "abababababab")]
    assert {link.source for link in graph.links if link.target == "part data"} == {"commit", "csv"}


def test_the_links_are_the_events_of_the_run(lineage: Lineage) -> None:
    links = {(link.source, link.target) for link in draw_graph(lineage).links if link.kind != "told"}
    events = {(name, f"task {task.name}") for task in lineage.tasks for _, name in task.inputs}
    events |= {(f"task {task.name}", name) for task in lineage.tasks for _, name in task.outputs}
    events |= {(f"part {part}", f"task {task.name}") for task in lineage.tasks for part in task.parts}
    assert links == events | {("part image", "run"), ("part job", "run")}


def test_an_artifact_that_a_resolver_finds_too_stands_beside_the_task_that_put_it_out(scene: Scene) -> None:
    first = scene.release()
    model = scene.run(first)["Trainer.model"][0]
    second = scene.release(parent=first.id)
    scene.run(second, cached=["Trainer"], baseline=model)
    links = draw_graph(lineage_of(scene.settings, scene.store, release=second.id)).links
    found = {link.source: link.kind for link in links if link.target == model.name}
    assert found == {"task resolver": "found", "task Trainer": "made"}


def test_nothing_in_the_page_comes_from_elsewhere_or_runs(lineage: Lineage) -> None:
    text = render_picture(lineage)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(page.tags)
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]


def test_texts_are_escaped_and_stay_what_they_are(lineage: Lineage) -> None:
    assert EVIL in "".join(Page(render_picture(lineage)).texts)
    Page(render_picture(replace(lineage, notes=(EVIL,), run=EVIL, logs=EVIL)))


def test_the_same_lineage_gives_the_same_bytes(lineage: Lineage, tmp_path: Path) -> None:
    one, two = write_picture(lineage, tmp_path / "one.html"), write_picture(lineage, tmp_path / "a" / "two.html")
    assert one.read_bytes() == two.read_bytes()


def test_a_release_without_a_run_is_drawn_too(scene: Scene) -> None:
    lineage = lineage_of(scene.settings, scene.store, release=scene.release(outcome=False).id)
    assert "no run" in Page(render_picture(lineage)).texts


def test_a_place_that_cannot_be_written_is_named(lineage: Lineage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot write"):
        write_picture(lineage, tmp_path / "file" / "picture.html")


def test_a_corner_is_round_where_there_is_room() -> None:
    assert turn([(0, 0), (20, 0), (20, 30)]) == "M0,0L15,0Q20,0 20,5L20,30"
    assert turn([(0, 0), (4, 0), (4, 0.5)]) == "M0,0L2,0Q4,0 4,0.2L4,0.5"
