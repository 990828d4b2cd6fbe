"""Faults that a stand-in can be told to have: what goes wrong between a deploy and Google Cloud."""

import re
import threading
from dataclasses import dataclass, field
from typing import List, Optional

from typing_extensions import Literal

Kind = Literal["denied", "disabled", "expired", "quota", "busy", "unavailable", "reset", "lost"]


@dataclass
class Fault:
    """A fault of the next `times` requests whose method id matches `method`, after `skip` that go well.

    denied, disabled, expired, quota, busy (429) and unavailable (503) are answers, the last two with
    `retry_after_s`; reset ends the connection before the server acts, lost after it has acted.
    """

    method: str
    kind: Kind
    times: int = 1
    skip: int = 0
    retry_after_s: int = 1


@dataclass
class Faults:
    """The faults to come; thread-safe."""

    waiting: List[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self.waiting.append(fault)

    def take(self, method: str) -> Optional[Fault]:
        """Return the fault that a call of `method` meets, None if it goes well."""
        with self._lock:
            for fault in self.waiting:
                if not re.fullmatch(fault.method, method):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
