"""The models that a server answers for, and how its traffic is split between them, as on a Vertex AI endpoint."""

import random
from dataclasses import dataclass, field
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

from esteira.monitoring.deployed import Deployed
from esteira.serving.answers import Headers, fields_of, headers_of, raw_headers_of
from esteira.serving.batcher import Batcher
from esteira.serving.identity import checked_as
from esteira.serving.refusal import Refusal
from esteira.serving.signature import Signature


@dataclass(eq=False)
class ServedModel:
    """A model that is loaded, warm and ready to be asked.

    `asked` is how many requests it is answering; only the event loop changes it. `created` as RFC 3339 has it.
    `checked` is what the log has instead of `deployed` for a request that only checks it.
    `headers` are those of its answers; `vertex_fields` and `vertex_headers` what Vertex AI adds to them.
    """

    name: str
    version: int
    signatures: Mapping[str, Signature]
    labels: Optional[Sequence[str]]
    batcher: Batcher
    deployed: Deployed
    created: str = ""
    asked: int = 0
    checked: Deployed = field(init=False)
    headers: Headers = field(init=False)
    vertex_fields: bytes = field(init=False)
    vertex_headers: Headers = field(init=False)

    def __post_init__(self) -> None:
        self.checked = checked_as(self.deployed)
        self.vertex_fields = fields_of(self.deployed)
        self.headers = headers_of(self.deployed)
        self.vertex_headers = raw_headers_of(self.deployed)


class Share(NamedTuple):
    """A model that is deployed, and the percentage of the traffic that it gets."""

    model: ServedModel
    percent: int


class Catalogue:
    """Finds a model by the name and the version in a request's path, or at random by its share of the traffic.

    `endpoint` is the resource name of the endpoint that all of them are deployed to. It is empty until the first
    model is loaded; `is_stopping` is set when the server is told to stop.
    """

    def __init__(self, name: str, endpoint: str, shares: Sequence[Share] = ()) -> None:
        self.name = name
        self.endpoint = endpoint
        self.is_stopping = False
        self.shares: Tuple[Share, ...] = tuple(shares)

    @property
    def is_ready(self) -> bool:
        return bool(self.shares) and not self.is_stopping

    def replace(self, shares: Sequence[Share]) -> None:
        """Have requests go to these models from now on; call it in the event loop."""
        self.shares = tuple(shares)

    def find(self, name: str, version: Optional[str] = None) -> ServedModel:
        """Return that version of the model, one by its share if none is given. Raises Refusal (404 or 503)."""
        if version is None and name == self.name:
            return self.choose()
        return self.versions(name, version)[0]

    def choose(self) -> ServedModel:
        """Return a model at random, by its share. Raises Refusal (503) while there is none."""
        shares = self.shares
        if len(shares) == 1:
            return shares[0].model
        self._check_loaded()
        drawn = random.random() * 100
        for model, percent in shares:
            drawn -= percent
            if drawn < 0:
                return model
        return shares[0].model

    def versions(self, name: str, version: Optional[str] = None) -> List[ServedModel]:
        """Return all versions of the model, or the one that is given. Raises Refusal (404 or 503)."""
        if name != self.name:
            raise Refusal(404, f'no model "{name}"; this server has {self.name}')
        self._check_loaded()
        models = sorted((share.model for share in self.shares), key=lambda model: model.version)
        if version is None:
            return models
        found = [model for model in models if str(model.version) == version]
        if not found:
            known = ", ".join(str(model.version) for model in models)
            raise Refusal(404, f'the model "{name}" has no version "{version}"; it has {known}')
        return found

    def _check_loaded(self) -> None:
        if not self.shares:
            message = "the server is stopping" if self.is_stopping else "the model is being loaded; try again shortly"
            raise Refusal(503, message, {"retry-after": "1"})
