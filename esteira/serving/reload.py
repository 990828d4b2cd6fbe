"""Has the server answer with the models that are wanted, and take over others without a pause when that changes.

A thread looks about twice a second, and loads what is new while the old models answer. No request waits for it.
"""

import asyncio
import sys
import threading
from typing import Callable, Dict, List, Optional

from esteira.errors import EsteiraError
from esteira.serving.catalogue import Catalogue, ServedModel, Share
from esteira.serving.counts import Counts
from esteira.serving.identity import Candidate
from esteira.serving.loading import release_memory, wait_until_unasked
from esteira.serving.sources import Source, Split

POLL_S = 0.5


class Reloader:
    """Loads what a source wants into a catalogue, with `load`.

    `failure` is why the first model could not be loaded.
    """

    def __init__(
        self, source: Source, load: Callable[[Candidate], ServedModel], catalogue: Catalogue, counts: Counts
    ) -> None:
        self._source = source
        self._load = load
        self._catalogue = catalogue
        self._counts = counts
        # By the id of the deployed model.
        self._models: Dict[str, ServedModel] = {}
        self._tried: Optional[Split] = None
        self._told = ""
        self._stopping = threading.Event()
        self._thread: Optional[threading.Thread] = None
        self.failure: Optional[BaseException] = None

    def start(self, loop: asyncio.AbstractEventLoop, ready: Callable[[], None], failed: Callable[[], None]) -> None:
        """Load the first model, then look for others until `stop`. Call `ready` or `failed` in the event loop."""
        self._thread = threading.Thread(target=self._run, args=(loop, ready, failed), name="models", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """End the thread and the models; return whether it has ended, which a load that is going on delays."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                return False
        for model in self._models.values():
            model.batcher.stop()
        return True

    def _run(self, loop: asyncio.AbstractEventLoop, ready: Callable[[], None], failed: Callable[[], None]) -> None:
        try:
            self._tried = self._source.wanted()
            self._take_over(self._tried, loop)
        except BaseException as error:
            self.failure = error
            loop.call_soon_threadsafe(failed)
            return
        loop.call_soon_threadsafe(ready)
        while not self._stopping.wait(POLL_S):
            self._look(loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take over what is wanted, if that has changed. What fails is told and leaves all as it was."""
        try:
            wanted = self._source.wanted()
        except Exception as error:
            self._fail(error)
            return
        self._told = ""
        if wanted == self._tried:
            return
        self._tried = wanted
        try:
            self._take_over(wanted, loop)
        except Exception as error:
            self._fail(error)
        else:
            self._counts.reloads += 1
            print(f"Now serving {told_shares(self._catalogue)}", flush=True)

    def _fail(self, error: Exception) -> None:
        """Count and tell a failure, once as long as it lasts."""
        said = str(error) if isinstance(error, EsteiraError) else f"{type(error).__name__}: {error}"
        if said != self._told:
            self._told = said
            self._counts.failed_reloads += 1
            kept = told_shares(self._catalogue)
            print(f"{said}\nStill serving {kept}. Tried again when another is deployed.", file=sys.stderr, flush=True)

    def _take_over(self, wanted: Split, loop: asyncio.AbstractEventLoop) -> None:
        """Load what is not loaded yet, have all requests go there, and let go of what is no longer wanted."""
        try:
            shares = self._loaded(wanted)
            placed = threading.Event()

            def place() -> None:
                self._catalogue.replace(shares)
                placed.set()

            loop.call_soon_threadsafe(place)
            placed.wait()
        finally:
            self._retire()
        release_memory()

    def _loaded(self, wanted: Split) -> List[Share]:
        current = self._ensure(wanted.current)
        if not wanted.beside:
            return [Share(current, 100)]
        try:
            beside = self._ensure(wanted.beside)
        except Exception as error:
            self._counts.failed_reloads += 1
            print(f"{error}\nAll traffic goes to the current release.", file=sys.stderr, flush=True)
            return [Share(current, 100)]
        return [Share(current, 100 - wanted.percent), Share(beside, wanted.percent)]

    def _ensure(self, release: str) -> ServedModel:
        """Return a release's model, loaded if it is not yet, its batcher running."""
        candidate = self._source.candidate(release)
        model = self._models.get(candidate.identity.id)
        if model is None:
            model = self._load(candidate)
            model.batcher.start()
            self._models[candidate.identity.id] = model
        return model

    def _retire(self) -> None:
        """Let go of the models that get no requests any more, each when it has answered what it had."""
        served = [share.model for share in self._catalogue.shares]
        for identifier, model in list(self._models.items()):
            if model not in served:
                wait_until_unasked(model)
                model.batcher.stop()
                del self._models[identifier]


def told_shares(catalogue: Catalogue) -> str:
    """Return what is served, as messages name it."""
    shares = catalogue.shares
    told = [f"version {share.model.version}" + (f" ({share.percent} %)" if len(shares) > 1 else "") for share in shares]
    return f"{catalogue.name} {' and '.join(told)}"
