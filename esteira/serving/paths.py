"""Which prediction a path asks for.

TensorFlow Serving's: https://www.tensorflow.org/tfx/serving/api_rest#predict_api
Vertex AI's: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
"""

import re
from functools import lru_cache
from typing import NamedTuple, Optional

# A model's name ends at the colon before the verb.
MODEL = re.compile(r"/v1/models/([^/:]+)(?:/versions/([^/:]+))?:(predict|classify|regress)")
ENDPOINT = re.compile(r"/v1/projects/[^/:]+/locations/[^/:]+/endpoints/([^/:]+):(predict|rawPredict)")
VERTEX = "/v1/projects/"
# Clients ask the same few paths again and again; others shall not fill the memory.
KNOWN_PATHS = 64


class Asked(NamedTuple):
    """What is asked, of a model by its name, and perhaps its version, or of an endpoint by its id.

    `route` is the path without what varies in it, as the metrics have it.
    """

    route: str
    verb: str
    name: str = ""
    version: Optional[str] = None
    endpoint: str = ""


@lru_cache(maxsize=KNOWN_PATHS)
def find_asked(path: str) -> Optional[Asked]:
    """Return what a path of a prediction asks for, None for any other path."""
    model = MODEL.fullmatch(path)
    if model is not None:
        name, version, verb = model.groups()
        return Asked(f"/v1/models:{verb}", verb, name, version)
    endpoint = ENDPOINT.fullmatch(path)
    if endpoint is not None:
        return Asked(f"/v1/endpoints:{endpoint.group(2)}", endpoint.group(2), endpoint=endpoint.group(1))
    return None


def is_vertex(path: str) -> bool:
    """Whether a path is one of Vertex AI's, whose errors have another form."""
    return path.startswith(VERTEX)
