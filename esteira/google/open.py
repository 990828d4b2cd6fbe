"""The APIs of the chosen environment."""

import os
from typing import Mapping, Optional

from esteira.google.api import Api
from esteira.settings import Settings


def open_api(settings: Settings, environ: Optional[Mapping[str, str]] = None) -> Api:
    """Return the APIs of the environment's project and region. Nothing is asked yet.

    Without `environ` the process's own variables tell where they answer, as they tell google-auth who asks.
    """
    place = settings.environment
    return Api(place.project, place.region, os.environ if environ is None else environ, environment=settings.selected)
