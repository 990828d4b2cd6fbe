"""What a part is made of: a listing of files and values, whose digest is the part's.

The listings lie in the store as inputs/<hex of the digest>.json, so that a later plan can tell which
files differ.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional

from esteira.data.user_csv import find_csv
from esteira.errors import DataError, StateError
from esteira.release.digest import digest_bytes
from esteira.release.encoder import digest_encoder, encoder_folder
from esteira.release.links import check_entries
from esteira.release.partition import CSV, ENCODER, PARTITION, files_of, values_of
from esteira.release.stat_cache import FILE, StatCache
from esteira.release.store.interface import ABSENT, ConflictError, Store
from esteira.release.store.parallel import in_parallel
from esteira.settings import Settings
from esteira.source import Source

# The sections of the settings that a part's values may be taken from.
SECTIONS = ("pipeline", "data", "training", "gate", "serving", "build")
# Those that say nothing where a deploy goes to this machine.
CLOUD_SECTIONS = ("cloud", "trainer", "endpoint", "log")


@dataclass(frozen=True)
class Inputs:
    """The files, as path to "mode id" of git, and the values that a part is made of."""

    part: str
    files: Dict[str, str]
    values: Dict[str, Any]

    def content(self) -> bytes:
        """Return the listing as JSON: keys sorted, no white space, ASCII, so equal inputs have equal bytes."""
        listing = {"part": self.part, "files": self.files, "values": self.values}
        return json.dumps(listing, sort_keys=True, separators=(",", ":")).encode("ascii")

    @property
    def digest(self) -> str:
        return digest_bytes(self.content())


def inputs_here(settings: Settings, source: Source) -> Dict[str, Inputs]:
    """Return each part's inputs, from a frozen source and the settings.

    Raises SourceError for a submodule or a link that leads out of its part, DataError or CompileError
    if the user's CSV or the local encoder is missing.
    """
    values = known_values(settings)
    default_data = CSV not in values
    parts = {
        part: Inputs(
            part,
            files_of(part, source.files, default_data=default_data),
            values_of(part, values, default_data=default_data),
        )
        for part in PARTITION
    }
    for inputs in parts.values():
        check_entries(source, inputs.part, inputs.files)
    return parts


def known_values(settings: Settings) -> Dict[str, Any]:
    """Return every value that a part may depend on, by "section.key" or a name of its own."""
    sections = SECTIONS if settings.is_local else (*SECTIONS, *CLOUD_SECTIONS)
    values = {
        f"{section}.{key}": value for section in sections for key, value in getattr(settings, section).dict().items()
    }
    if not settings.is_local:
        values.update((f"environment.{key}", value) for key, value in settings.environment.dict().items())
    csv, encoder = find_csv(settings), encoder_folder(settings.training)
    cache = StatCache(settings.state / FILE)
    if csv:
        values[CSV] = digest_csv(csv, cache)
    if encoder:
        values[ENCODER] = digest_encoder(encoder, cache.digest)
    cache.save()
    return values


def digest_csv(csv: Path, cache: StatCache) -> str:
    try:
        return cache.digest(csv)
    except OSError as error:
        raise DataError(f"{csv}: cannot be read: {error.strerror}. Mend its permissions.") from error


def lay_inputs(store: Store, parts: Dict[str, Inputs]) -> None:
    """Write the listings that are not in the store yet, or damaged there."""
    in_parallel(lambda inputs: lay_listing(store, inputs), parts.values())


def lay_listing(store: Store, inputs: Inputs) -> None:
    name, content = inputs_name(inputs.digest), inputs.content()
    stored = store.read(name)
    if stored is None or stored.content != content:
        # Another deploy may just have written the same.
        with suppress(ConflictError):
            store.write(name, content, if_generation=stored.generation if stored else ABSENT)


def read_inputs(store: Store, digest: str) -> Optional[Inputs]:
    """Return the listing of a digest, None if it is lost; StateError if it is not what the digest was made of."""
    name = inputs_name(digest)
    stored = store.read(name)
    if stored is None:
        return None
    if digest_bytes(stored.content) != digest:
        raise StateError(f"{store.uri}/{name}: is damaged: it has not the digest that it is named by. Remove it.")
    return Inputs(**json.loads(stored.content))


def readable_inputs(store: Store, digest: str) -> Optional[Inputs]:
    """Return the listing of a digest, None if it is lost or damaged: the digests still tell that parts differ."""
    try:
        return read_inputs(store, digest)
    except StateError:
        return None


def inputs_name(digest: str) -> str:
    return f"inputs/{digest.split(':')[1]}.json"
