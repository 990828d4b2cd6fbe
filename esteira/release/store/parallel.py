"""Many requests at once, in a bounded number of threads."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Callable, Iterable, TypeVar

# Below the connections that are kept open.
WORKERS = 8

Item = TypeVar("Item")


def in_parallel(act: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Call `act` on each item. After a failure no other one is begun, and the first failure is raised."""
    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(act, item) for item in items]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            for future in futures:
                future.cancel()
            raise
