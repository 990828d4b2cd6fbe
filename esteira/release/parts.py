"""The parts of a release: which files each is made of, and where it lies."""

import tempfile
from pathlib import Path
from typing import Dict, Iterable, Tuple

from pydantic import BaseModel

from esteira.errors import StateError
from esteira.files import read_json, write_json
from esteira.jobs.bundle import bundle_modules
from esteira.release.digest import digest_files, files_below
from esteira.release.store import lay_down
from esteira.settings import Settings

BUNDLE = "modules.py"
HYPERPARAMETERS = "best_hyperparameters"
# What the runtime image holds besides the lock's packages; a change here is a change of the image.
IMAGE_FOLDERS = ("esteira", "pipeline")
IMAGE_FILES = ("requirements.lock",)

Files = Iterable[Tuple[str, Path]]


class Frozen(BaseModel):
    """A value that is kept as JSON: immutable, and closed to keys that it does not know."""

    class Config:
        allow_mutation = False
        extra = "forbid"


class Part(Frozen):
    """One content-addressed piece of a release; `uri` is empty where nothing is laid down."""

    digest: str
    uri: str = ""


def lay_parts(settings: Settings, data: Path) -> Dict[str, Part]:
    """Lay data, modules and hyperparameters down in the bucket and return them as parts.

    `data` is the folder that `prepare_data` filled. Raises StateError for a missing
    folder and CompileError for modules that cannot be bundled.
    """
    if not data.is_dir():
        raise StateError(f"{data}: no prepared data. Run: .venv/bin/inv data")
    hyperparameters = settings.root / "modules" / HYPERPARAMETERS
    if len(list(files_below(hyperparameters))) != 1:
        raise StateError(f"{hyperparameters}: expected exactly one file. Run: make tune")
    with tempfile.TemporaryDirectory() as scratch:
        bundle = Path(scratch) / BUNDLE
        bundle.write_bytes(bundle_modules(settings.root / "modules"))
        return {
            "data": lay_part(settings, "data", files_below(data)),
            "modules": lay_part(settings, "modules", [(BUNDLE, bundle)]),
            "hyperparameters": lay_part(settings, HYPERPARAMETERS, files_below(hyperparameters)),
        }


def lay_part(settings: Settings, name: str, files: Files) -> Part:
    """Lay the files down under <bucket>/<name>/<digest> and return the part."""
    known = list(files)
    digest = digest_files(known)
    folder = settings.folder / name / digest.split(":")[1]
    lay_down(folder, known)
    return Part(digest=digest, uri=str(folder))


def image_part(root: Path) -> Part:
    """Return the part `image`: on `local` the files that the image would be made of."""
    files = [(f"{name}/{path}", file) for name in IMAGE_FOLDERS for path, file in files_below(root / name)]
    files += [(name, root / name) for name in IMAGE_FILES]
    return Part(digest=digest_files(files))


def write_parts(path: Path, parts: Dict[str, Part]) -> None:
    write_json(path, {name: part.dict() for name, part in parts.items()})


def read_parts(path: Path) -> Dict[str, Part]:
    """Return the parts that `write_parts` wrote; StateError if there are none."""
    values = read_json(path, ".venv/bin/inv sync")
    return {name: Part(**value) for name, value in values.items()}
