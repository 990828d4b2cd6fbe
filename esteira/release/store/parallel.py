"""Many requests at once, in a bounded number of threads."""

from concurrent.futures import ThreadPoolExecutor, as_completed
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
    """Return what some functions return that do not wait for each other; raises the first failure."""
    return in_parallel(lambda act: act(), acts)
