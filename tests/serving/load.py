"""Clients that ask a server without a pause, and remember every answer."""

import http.client
import json
import threading
import time
from collections import Counter
from typing import Any, List, Tuple
from urllib.parse import urlsplit

BODY = json.dumps({"instances": [{"text": "good"}]})
WAIT_S = 120


class Load:
    """`clients` connections that are kept; `answers` are (status, version of the model) in order."""

    def __init__(self, url: str, path: str, clients: int = 8) -> None:
        self.answers: List[Tuple[int, str]] = []
        self.failures: List[str] = []
        self._netloc = urlsplit(url).netloc
        self._path = path
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def until(self, *versions: str, count: int = 200) -> Counter:  # type: ignore[type-arg]
        """Return what was answered among the last `count` requests, once that is these versions and no other."""
        deadline_s = time.monotonic() + WAIT_S
        start = len(self.answers)
        while time.monotonic() < deadline_s and not self.failures:
            found = Counter(version for _, version in self.answers[max(start, len(self.answers) - count) :])
            if sum(found.values()) == count and set(found) == set(versions):
                return found
            time.sleep(0.05)
        raise AssertionError(f"expected answers of {versions}, got {found}; failures: {self.failures}")

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._netloc, timeout=WAIT_S)
        try:
            while not self._ending.is_set():
                connection.request("POST", self._path, BODY)
                response = connection.getresponse()
                response.read()
                self.answers.append((response.status, response.headers["x-model-version"]))
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(repr(error))
        finally:
            connection.close()
