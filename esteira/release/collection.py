"""What a collection comes to, as values."""

from typing import Dict, NamedTuple, Tuple

from esteira.release.manifest import JOB, MANIFEST, PATCH

# What lies in a release's own folder. The manifest is the first to go: without it there is no release.
RELEASE_FILES = (MANIFEST, JOB, PATCH)


class Removal(NamedTuple):
    """Something that is removed as a whole.

    `kind` is release, part, inputs, model, output, image, logs or unfinished. `name` is relative to the store,
    that of logs and images to the state folder.
    """

    kind: str
    name: str
    files: int
    size_bytes: int


class Collection(NamedTuple):
    """What keeping the newest `keep` releases removes; `kept` says by release why it stays.

    `running` are the runs under way here: while there are any, all models and outputs of tasks stay.
    """

    keep: int
    kept: Dict[str, str]
    running: Tuple[str, ...]
    removals: Tuple[Removal, ...]
