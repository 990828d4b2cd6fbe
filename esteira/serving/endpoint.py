"""What answers for a model: a prediction server's model, or an endpoint of Vertex AI."""

from typing import Any, List, Optional, Sequence

from typing_extensions import Protocol

from esteira.errors import ServingError
from esteira.serving.interface import Interface
from esteira.serving.prediction import Answered


class RefusedError(ServingError):
    """A request that was refused: `status` says how, and `said` is the server's own message."""

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status = status
        self.said = said


class Endpoint(Protocol):
    """Answers for a model; threads may share it. `place` is what messages call it."""

    place: str

    def ask(self, instances: Sequence[Any]) -> Answered:
        """Return the answer to one request. Raises RefusedError for what is refused, else ServingError."""

    def labels_of(self, answered: Answered) -> Optional[List[str]]:
        """Return the names of the classes of the model that answered, None if they are not known."""

    def interface(self) -> Interface:
        """Return what the model takes and gives by its signature serving_default."""

    def close(self) -> None:
        """Let go of the connections."""
