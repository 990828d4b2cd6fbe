"""What every store of releases does, whatever it is made of.

Names are relative, with `/` between their parts. An object is replaced as a whole, and each
replacement gives it a new, higher generation, as in Cloud Storage.
https://cloud.google.com/storage/docs/request-preconditions
"""

from pathlib import Path
from typing import Iterable, List, NamedTuple, Optional, Tuple

from typing_extensions import Protocol

from esteira.errors import StateError

# The generation of an object that is not there.
ABSENT = 0


class Stored(NamedTuple):
    """An object's content, and the generation that it was read at."""

    content: bytes
    generation: int


class Entry(NamedTuple):
    """An object as a listing shows it."""

    name: str
    size_bytes: int


class ConflictError(StateError):
    """Somebody else was first: an object, such as `current`, is not at the generation that a writer expected.

    Next: `make status` and `make plan` show what is served now; then `make deploy`.
    """

    exit_code = 16


class Store(Protocol):
    """Objects by name under one prefix.

    Every method raises StateError, with the place, if the store cannot be reached or written, and for a
    name that would leave it.
    """

    @property
    def uri(self) -> str:
        """The folder, or gs://bucket/prefix, that names are relative to."""

    def read(self, name: str) -> Optional[Stored]:
        """Return an object, None if there is none."""

    def write(self, name: str, content: bytes, *, if_generation: Optional[int] = None) -> int:
        """Write an object whole and return its generation.

        With `if_generation` only if the object is at it, ABSENT for an object that must not be
        there yet; else ConflictError.
        """

    def lay_down(self, prefix: str, files: Iterable[Tuple[str, Path]]) -> None:
        """Put (relative name, file) pairs under a prefix named by their content.

        Sends only what is missing, so that it completes what was interrupted. What lies there is never
        changed: StateError if it is another content than it was.
        """

    def list(self, prefix: str) -> List[Entry]:
        """Return the objects under a prefix, a folder's name without its last `/`, by name."""

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""
