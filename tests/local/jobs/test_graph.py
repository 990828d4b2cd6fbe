from pathlib import Path
from typing import Dict, Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esteira.errors import JobError
from esteira.local.jobs.graph import build_graph, sorted_tasks
from esteira.local.jobs.reader import read_job
from tests.local.jobs.handmade import HandmadeJob

NAMES = "abcdefgh"


@st.composite
def graphs(draw: st.DrawFn) -> Dict[str, Set[str]]:
    """Graphs without a cycle: a task waits only for tasks that come before it in the alphabet."""
    return {name: draw(st.sets(st.sampled_from(NAMES[:at]))) if at else set() for at, name in enumerate(NAMES)}


@given(graphs())
def test_each_task_comes_after_those_that_it_waits_for(graph: Dict[str, Set[str]]) -> None:
    order = sorted_tasks(graph)
    assert sorted(order) == sorted(graph)
    assert all(order.index(before) < order.index(name) for name, waits_for in graph.items() for before in waits_for)


def test_edges_come_from_artifacts_and_dependent_tasks(tmp_path: Path) -> None:
    job = HandmadeJob(tmp_path).script("one").script("two", inputs={"a": "one.result"}).script("three", after=["two"])
    assert build_graph(read_job(job.document)) == {"one": set(), "two": {"one"}, "three": {"two"}}


def test_a_cycle_is_an_error_that_names_its_tasks(tmp_path: Path) -> None:
    job = HandmadeJob(tmp_path).script("one", after=["two"]).script("two", after=["one"])
    with pytest.raises(JobError, match="these tasks wait for each other: one, two"):
        build_graph(read_job(job.document))


def test_a_dependency_on_no_task_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="task one: waits for ghost, which is no task of the job"):
        build_graph(read_job(HandmadeJob(tmp_path).script("one", after=["ghost"]).document))


def test_an_input_that_nothing_puts_out_is_an_error(tmp_path: Path) -> None:
    job = HandmadeJob(tmp_path).script("one").script("two", inputs={"a": "one.ghost"})
    with pytest.raises(JobError, match="its input a takes ghost of one, which puts out result"):
        build_graph(read_job(job.document))
