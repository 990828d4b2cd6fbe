"""What a person is asked on a terminal."""

import os
import pty
import sys

import pytest

pytestmark = pytest.mark.loopback


@pytest.fixture
def types(monkeypatch):
    """Return a function that types a line into the terminal that the command reads from."""
    master, slave = pty.openpty()

    def type_line(text):
        os.write(master, f"{text}\n".encode())

    with open(slave, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield type_line
    os.close(master)


@pytest.mark.parametrize(("answer", "made"), [("y", True), ("n", False), ("", False)])
def test_apply_does_what_a_person_says(make_scene, types, answer, made):
    scene = make_scene()
    types(answer)
    scene.apply(yes=False)
    assert ("demo-bucket" in scene.buckets.resources) is made


@pytest.mark.parametrize(("answer", "left"), [("dev", []), ("y", ["demo-bucket"]), ("prod", ["demo-bucket"])])
def test_destroy_wants_the_environments_name(make_scene, types, answer, left):
    scene = make_scene()
    scene.apply()
    types(answer)
    scene.destroy(yes=False)
    assert list(scene.buckets.resources) == left
