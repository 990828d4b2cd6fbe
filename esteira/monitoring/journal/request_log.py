"""The request log's writer: a server calls it for requests before their answers are sent.

One write to a file of the journal is all that it does, and a write outlives its process. What reads the journal is
in ingest.py.
"""

import os
import random
import sys
import time
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from typing_extensions import Literal

from esteira.monitoring.deployed import Deployed
from esteira.monitoring.journal.frames import DEPLOYED, REQUEST, describe, frame
from esteira.monitoring.journal.redact import redact
from esteira.monitoring.journal.segments import JOURNAL, make_segment
from esteira.monitoring.warehouse.folder import private_folder, writable
from esteira.serving.answer_log import Exchange

SEGMENT_BYTES = 32 * 1024 * 1024
# How often it is seen whether the file is still in its folder, while requests come.
LOOK_S = 1.0

TextRule = Literal["keep", "hash", "redact"]


class RequestLog:
    """Keeps `percent` of the requests, chosen at random, in the journal of the warehouse `folder`."""

    def __init__(self, folder: Path, *, percent: int, text: TextRule, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Make the journal's first file. Raises WarehouseError if there can be none."""
        self._percent = percent
        self._text = text
        self._segment_bytes = segment_bytes
        self._size = self._records = 0
        self._looked_s = time.monotonic()
        self._folder = folder / JOURNAL
        with writable(folder):
            self._segment = self._make_segment()
        # The models that this segment describes, by identity; they are held, so that no other gets the same.
        self._numbers: Dict[int, Tuple[int, Deployed]] = {}

    def keep(self, answered: Sequence[Exchange]) -> None:
        """Write requests' bodies and the model's answers to them; the texts in them as the settings have it.

        Raises OSError if they cannot be written; the journal then is as it was before, and the next call tries again.
        It is raised, too, once these are written, when somebody has removed the file that those before them are in.
        """
        if self._percent < 100:
            answered = [one for one in answered if random.random() * 100 < self._percent]
        if not answered:
            return
        lost = self._lost()
        if lost or self._size >= self._segment_bytes:
            self._roll()
        now_ns = time.time_ns()
        parts: List[bytes] = []
        for deployed, request_id, request, response in answered:
            if self._text != "keep":
                inputs = [tensor.name for tensor in deployed.inputs] or None
                request, response = redact(request, response, deployed.labels, self._text, inputs)
            known = self._numbers.get(id(deployed))
            number = self._introduce(deployed, now_ns) if known is None else known[0]
            parts += frame(REQUEST, number, now_ns, request_id, request, response)
        self._write(parts)
        self._records += len(answered)
        if lost:
            raise OSError(lost)

    def close(self) -> None:
        """Let go of the journal; what is in it is loaded by whoever opens the warehouse next."""
        self._looked_s -= LOOK_S
        lost = self._lost()
        if lost:
            print(f"request log: {lost}", file=sys.stderr, flush=True)
        os.close(self._segment)

    def _lost(self) -> str:
        """Say what is lost if the file was removed, which is looked at now and then; nothing if it was not."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return ""
        if os.fstat(self._segment).st_nlink:
            self._looked_s = now_s
            return ""
        return (
            f"{self._folder}: the file that the server writes to was removed: up to {self._records} requests are lost, "
            "those of it that were not loaded yet. A new one is written. Stop the server before you remove its log"
        )

    def _make_segment(self) -> int:
        private_folder(self._folder.parent)
        return make_segment(private_folder(self._folder))

    def _introduce(self, deployed: Deployed, now_ns: int) -> int:
        """Describe a model in this segment, and return the number that its requests give."""
        number = len(self._numbers)
        self._write(frame(DEPLOYED, number, now_ns, 0, describe(deployed)))
        self._numbers[id(deployed)] = (number, deployed)
        return number

    def _roll(self) -> None:
        segment = self._make_segment()
        os.close(self._segment)
        self._segment, self._size, self._records, self._numbers = segment, 0, 0, {}
        self._looked_s = time.monotonic()

    def _write(self, parts: List[bytes]) -> None:
        content = b"".join(parts)
        written = 0
        try:
            written = os.write(self._segment, content)
            if written != len(content):
                raise OSError(f"{self._folder}: only {written} of {len(content)} bytes were written: is the disk full?")
        except OSError:
            if written:
                # What was written of it would stand before the next one.
                os.ftruncate(self._segment, self._size)
            raise
        self._size += written
