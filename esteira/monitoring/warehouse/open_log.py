"""The request log of a server on this machine, with the process that loads what it writes."""

from typing import Sequence

from esteira.monitoring.journal.request_log import RequestLog
from esteira.monitoring.warehouse.database import place_of
from esteira.monitoring.warehouse.loader_process import start_loader
from esteira.serving.answer_log import Exchange
from esteira.settings import Settings


class LoadedLog:
    """A RequestLog that is loaded while it is written."""

    def __init__(self, settings: Settings) -> None:
        """Raises WarehouseError if nothing can be written."""
        place = place_of(settings)
        self._log = RequestLog(place.folder, percent=settings.log.percent, text=settings.log.text)
        self._loader = start_loader(place)

    def keep(self, answered: Sequence[Exchange]) -> None:
        """As RequestLog.keep."""
        self._log.keep(answered)

    def close(self) -> None:
        self._log.close()
        self._loader.stop()
