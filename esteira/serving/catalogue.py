"""The models that a server answers for."""

from dataclasses import dataclass
from typing import List, Mapping, Optional, Sequence

from esteira.monitoring.deployed import Deployed
from esteira.serving.batcher import Batcher
from esteira.serving.refusal import Refusal
from esteira.serving.signature import Signature


@dataclass(frozen=True)
class ServedModel:
    """A model that is loaded, warm and ready to be asked."""

    name: str
    version: int
    signatures: Mapping[str, Signature]
    labels: Optional[Sequence[str]]
    batcher: Batcher
    deployed: Deployed


class Catalogue:
    """Finds a model by the name and the version in a request's path."""

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self._models = sorted(models, key=lambda model: model.version)

    def find(self, name: str, version: Optional[str] = None) -> ServedModel:
        """Return that version of the model, the newest if none is given. Raises Refusal (404)."""
        return self.versions(name, version)[-1]

    def versions(self, name: str, version: Optional[str] = None) -> List[ServedModel]:
        """Return all versions of the model, or the one that is given. Raises Refusal (404)."""
        named = [model for model in self._models if model.name == name]
        if not named:
            known = ", ".join(sorted({model.name for model in self._models}))
            raise Refusal(404, f'no model "{name}"; this server has {known}')
        if version is None:
            return named
        found = [model for model in named if str(model.version) == version]
        if not found:
            known = ", ".join(str(model.version) for model in named)
            raise Refusal(404, f'the model "{name}" has no version "{version}"; it has {known}')
        return found
