"""Doing several things at once whose results are wanted in their order."""

import threading
from collections import deque
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Callable, Deque, Iterable, Iterator, Optional, Tuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# How many results a thread may be ahead of the one that is waited for.
AHEAD = 2


def in_order(act: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Yield act(item) of each item, in their order, from `threads` threads; items are taken as they are needed.

    What `act` raises is raised where its result would be. The threads are daemons: a caller that is interrupted
    waits for nothing.
    """
    tasks: SimpleQueue[Optional[Tuple[Future[Any], Item]]] = SimpleQueue()
    waiting: Deque[Future[Result]] = deque()
    for _ in range(threads):
        threading.Thread(target=work, args=(tasks, act), daemon=True).start()
    try:
        for item in items:
            future: Future[Result] = Future()
            waiting.append(future)
            tasks.put((future, item))
            # What is ready does not wait for an item that is long in coming.
            while waiting and (waiting[0].done() or len(waiting) > threads * AHEAD):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        for _ in range(threads):
            tasks.put(None)


def work(tasks: "SimpleQueue[Any]", act: Callable[[Any], Any]) -> None:
    while True:
        task = tasks.get()
        if task is None:
            return
        future, item = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(act(item))
        except BaseException as error:
            future.set_exception(error)
