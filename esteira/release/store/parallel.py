"""Many requests at once, in a bounded number of threads."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any, Callable, Iterable, List, TypeVar

# Below the connections that are kept open.
WORKERS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(act: Callable[[Item], Result], items: Iterable[Item]) -> List[Result]:
    """Call `act` on each item and return what it returns, in their order.

    After a failure no other one is begun, and the first failure is raised.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(act, item) for item in items]
        try:
            for future in as_completed(futures):
                future.result()
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            raise


def at_once(*acts: Callable[[], Any]) -> List[Any]:
    """Return what some functions return that do not wait for each other; raises the first failure.

    A failure is raised once all are over, an interruption at once: what has not ended by then ends with the process.
    """
    futures = [begun(act) for act in acts]
    failures = [failure for failure in (future.exception() for future in as_completed(futures)) if failure]
    if failures:
        raise failures[0]
    return [future.result() for future in futures]


def begun(act: Callable[[], Any]) -> "Future[Any]":
    """Call a function in a thread that the end of the process does not wait for."""
    future: Future[Any] = Future()

    def call() -> None:
        try:
            future.set_result(act())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return future
