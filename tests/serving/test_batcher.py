import asyncio
import threading
from typing import Any, Awaitable, Callable, Dict, List, Sequence, Tuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esteira.serving.batcher import Batcher
from esteira.serving.refusal import Refusal
from esteira.serving.signature import Arrays, Signature, TensorSpec

WAIT_S = 10
NUMBERS = TensorSpec("x", "DT_INT64", (None,))
ADD = Signature("add", (NUMBERS,), (TensorSpec("y", "DT_INT64", (None,)),))
MORE = Signature("more", (TensorSpec("x", "DT_INT64", (None, None)),), (TensorSpec("y", "DT_INT64", (None,)),))
WHOLE = Signature("whole", (NUMBERS,), (TensorSpec("y", "DT_INT64", ()),))


class GatedModel:
    """Adds one; its first call waits until the gate opens, so that requests queue behind it."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.calls: List[Tuple[str, List[Any]]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        if is_open:
            self.gate.set()

    def __call__(self, signature: str, arrays: Arrays) -> Arrays:
        self.calls.append((signature, arrays["x"].tolist()))
        self.entered.set()
        assert self.gate.wait(WAIT_S)
        if -1 in arrays["x"]:
            raise ValueError("minus one")
        if signature == "whole":
            return {"y": np.array(arrays["x"].sum())}
        rest = tuple(range(1, arrays["x"].ndim))
        return {"y": arrays["x"].sum(axis=rest) + 1}


def run(
    model: GatedModel, ask: Callable[[Batcher], Awaitable[Any]], max_batch: int = 4, max_waiting: int = 1000
) -> Any:
    batcher = Batcher(model, max_batch=max_batch, max_waiting=max_waiting)
    batcher.start()
    try:
        return asyncio.run(asyncio.wait_for(ask(batcher), WAIT_S))
    finally:
        model.gate.set()
        batcher.stop()


async def predict(batcher: Batcher, values: Any, signature: Signature = ADD) -> Any:
    array = np.array(values, dtype=np.int64)
    rows = array.shape[0] if array.ndim else None
    return (await batcher.predict(signature, {"x": array}, rows)).values()["y"]


async def predict_behind_the_gate(model: GatedModel, batcher: Batcher, requests: Sequence[Any]) -> List[Any]:
    """Send a first request that holds the model, then the others, then let the model go."""
    first = asyncio.ensure_future(predict(batcher, [0]))
    while not model.entered.is_set():
        await asyncio.sleep(0.001)
    tasks = [
        asyncio.ensure_future(predict(batcher, *request) if isinstance(request, tuple) else predict(batcher, request))
        for request in requests
    ]
    await asyncio.sleep(0)
    model.gate.set()
    answers: List[Any] = await asyncio.gather(*tasks, return_exceptions=True)
    assert await first == [1]
    return answers


def test_an_idle_model_runs_a_request_at_once_and_alone() -> None:
    model = GatedModel(is_open=True)
    assert run(model, lambda batcher: predict(batcher, [5, 6])) == [6, 7]
    assert model.calls == [("add", [5, 6])]


def test_what_queued_while_the_model_was_busy_shares_a_batch() -> None:
    model = GatedModel()
    requests = [[1], [2, 3], [4], [5]]
    answers = run(model, lambda batcher: predict_behind_the_gate(model, batcher, requests))
    assert answers == [[2], [3, 4], [5], [6]]
    assert model.calls == [("add", [0]), ("add", [1, 2, 3, 4]), ("add", [5])]


def test_what_is_read_in_one_turn_of_the_event_loop_shares_a_batch() -> None:
    model = GatedModel(is_open=True)

    async def ask(batcher: Batcher) -> Any:
        while not batcher._is_idle:
            await asyncio.sleep(0)
        return await asyncio.gather(*(predict(batcher, [value]) for value in (1, 2, 3)))

    assert run(model, ask) == [[2], [3], [4]]
    assert model.calls == [("add", [1, 2, 3])]


def test_signatures_and_shapes_do_not_mix_and_take_turns() -> None:
    model = GatedModel()
    requests = [([1], ADD), ([[1, 1]], MORE), ([[1]], MORE), ([2], ADD), ([[2, 2]], MORE)]
    answers = run(model, lambda batcher: predict_behind_the_gate(model, batcher, requests))
    assert answers == [[2], [3], [2], [3], [5]]
    assert model.calls[1:] == [("add", [1, 2]), ("more", [[1, 1], [2, 2]]), ("more", [[1]])]


def test_a_failing_request_fails_alone() -> None:
    model = GatedModel()
    answers = run(model, lambda batcher: predict_behind_the_gate(model, batcher, [[1], [-1], [3]]))
    assert (answers[0], answers[2]) == ([2], [4])
    assert isinstance(answers[1], ValueError)
    assert model.calls[1:] == [("add", [1, -1, 3]), ("add", [1]), ("add", [-1]), ("add", [3])]


def test_a_request_larger_than_a_batch_runs_in_pieces() -> None:
    model = GatedModel(is_open=True)
    assert run(model, lambda batcher: predict(batcher, list(range(10)))) == list(range(1, 11))
    assert [len(values) for _, values in model.calls] == [4, 4, 2]


def test_a_signature_whose_outputs_have_no_rows_runs_each_request_alone() -> None:
    model = GatedModel()
    requests = [([1, 2], WHOLE), ([3], WHOLE)]
    assert run(model, lambda batcher: predict_behind_the_gate(model, batcher, requests)) == [3, 3]
    assert model.calls[1:] == [("whole", [1, 2]), ("whole", [3])]


def test_outputs_with_other_rows_than_declared_are_asked_for_one_by_one() -> None:
    lying = Signature("whole", (NUMBERS,), (TensorSpec("y", "DT_INT64", (None,)),))
    model = GatedModel()
    requests = [([1, 2], lying), ([3], lying)]
    assert run(model, lambda batcher: predict_behind_the_gate(model, batcher, requests)) == [3, 3]


def test_too_many_waiting_rows_are_refused_with_a_time_to_come_back() -> None:
    model = GatedModel()
    requests = [[1, 2, 3], [4, 5], [6]]
    answers = run(model, lambda batcher: predict_behind_the_gate(model, batcher, requests), max_waiting=4)
    assert (answers[0], answers[2]) == ([2, 3, 4], [7])
    assert isinstance(answers[1], Refusal)
    assert (answers[1].status, answers[1].headers) == (429, {"retry-after": "1"})
    assert answers[1].message == "3 rows are waiting; try again in a second"


def test_a_request_that_was_given_up_does_not_disturb_the_others() -> None:
    model = GatedModel()

    async def ask(batcher: Batcher) -> Any:
        given_up = asyncio.ensure_future(predict(batcher, [1]))
        await asyncio.sleep(0)
        given_up.cancel()
        second = asyncio.ensure_future(predict(batcher, [2]))
        await asyncio.sleep(0)
        model.gate.set()
        return await second

    assert run(model, ask) == [3]


def test_a_stopped_batcher_has_answered_all_and_takes_no_more() -> None:
    model = GatedModel()

    async def ask(batcher: Batcher) -> Any:
        tasks = [asyncio.ensure_future(predict(batcher, [value])) for value in range(9)]
        await asyncio.sleep(0)
        model.gate.set()
        await asyncio.get_running_loop().run_in_executor(None, batcher.stop)
        with pytest.raises(Refusal, match="the server is stopping"):
            await predict(batcher, [1])
        return await asyncio.gather(*tasks)

    batcher = Batcher(model, max_batch=4, max_waiting=100)
    batcher.start()
    assert asyncio.run(asyncio.wait_for(ask(batcher), WAIT_S)) == [[value + 1] for value in range(9)]


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    max_batch=st.integers(1, 8),
    bad=st.sets(st.integers(0, 11), max_size=2),
)
def test_any_split_of_requests_gives_each_its_own_answer(sizes: Any, max_batch: int, bad: Any) -> None:
    requests: Dict[int, List[int]] = {
        index: [100 * index + row for row in range(size)] + ([-1] if index in bad else [])
        for index, size in enumerate(sizes)
    }
    model = GatedModel()
    answers = run(
        model,
        lambda batcher: predict_behind_the_gate(model, batcher, list(requests.values())),
        max_batch=max_batch,
    )
    for index, answer in enumerate(answers):
        if index in bad:
            assert isinstance(answer, ValueError)
        else:
            assert answer == [value + 1 for value in requests[index]]
    assert all(len(values) <= max_batch for _, values in model.calls)
