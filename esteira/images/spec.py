"""What an image is made of, as docker/<name>.toml says it."""

import posixpath
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping

from pydantic import ValidationError, validator

from esteira.errors import ImageError
from esteira.images.bases import Base, read_bases
from esteira.images.layers.place import Place
from esteira.images.toml import read_toml
from esteira.release.partition import PARTITION, files_of
from esteira.settings.section import Section, matched
from esteira.suggest import suggestion

NAMES = ("runtime", "builder")
FOLDER = "docker"
EXAMPLE = 'lines such as: lock = "requirements.lock"'
PREFIX = "/opt/venv"
LOCKS = tuple(path for path in PARTITION["image"].files if path.endswith(".lock"))
# A layer sets the mode of each folder above its files anew, and these are not as others are.
OTHERS = ("/tmp", "/var/tmp", "/root")
USER_PATTERN = re.compile(r"^[0-9]+:[0-9]+$")
VARIABLE_PATTERN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
# The parts of a label's name, as Docker advises them.
LABEL_PATTERN = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")


class ImageSpec(Section):
    """docker/<name>.toml.

    `base` is a table of docker/bases.toml, `lock` a file and `folders` are folders of the repository;
    `folders` are laid below `workdir`.
    """

    base: str
    lock: str
    folders: List[str]
    workdir: str
    entrypoint: List[str]
    command: List[str]
    user: str
    env: Dict[str, str]
    labels: Dict[str, str]

    @validator("lock")
    def check_lock(cls, value: str) -> str:
        check_inside(value)
        # A plan looks at the files of the part: a change of any other lock would deploy no image.
        if value not in LOCKS:
            raise ValueError(f'is "{value}"; expected {" or ".join(LOCKS)}, from which make lock makes the wheels')
        return value

    @validator("folders", each_item=True)
    def check_folder(cls, value: str) -> str:
        check_inside(value)
        # A plan looks at the files of the part: a change of any other folder would deploy no image.
        if not files_of("image", {f"{value}/file": ""}, default_data=True):
            raise ValueError(f'has "{value}"; expected esteira, pipeline, docker or a folder below them')
        return value

    @validator("workdir")
    def check_workdir(cls, value: str) -> str:
        if not posixpath.isabs(value) or posixpath.normpath(value) != value or value in ("/", "//"):
            raise ValueError(f'is "{value}"; expected an absolute folder such as /app')
        for folder in OTHERS:
            if f"{value}/".startswith(f"{folder}/"):
                expected = f"a folder outside {folder}, such as /app: it has a mode of its own"
                raise ValueError(f'is "{value}"; expected {expected}')
        return value

    @validator("user")
    def check_user(cls, value: str) -> str:
        matched(value, USER_PATTERN, "uid:gid in numbers, such as 65532:65532")
        if value.split(":")[0].strip("0") == "":
            raise ValueError(f'is "{value}", root; expected another user, such as 65532:65532')
        return value

    @validator("env")
    def check_env(cls, value: Dict[str, str]) -> Dict[str, str]:
        for name in value:
            if name == "PATH" or not VARIABLE_PATTERN.match(name):
                raise ValueError(f'has "{name}"; expected names of variables, PATH apart, which is made of the base\'s')
        return value

    @validator("labels")
    def check_labels(cls, value: Dict[str, str]) -> Dict[str, str]:
        for name in value:
            matched(name, LABEL_PATTERN, "a label such as org.opencontainers.image.title")
        return value


def check_inside(path: str) -> None:
    """Raise ValueError for a path that is not below the repository."""
    if posixpath.isabs(path) or posixpath.normpath(path) != path or path.split("/")[0] in ("..", "."):
        raise ValueError(f'has "{path}"; expected a path below the repository, without . and ..')


def read_spec(root: Path, name: str) -> ImageSpec:
    """Return the specification of an image; ImageError that names every fault with its place."""
    place = spec_place(name)
    return spec_of(read_toml(root, place, EXAMPLE), place)


def spec_place(name: str) -> str:
    return f"{FOLDER}/{name}.toml"


def spec_of(values: Dict[str, Any], place: str) -> ImageSpec:
    """Return the specification that a file's values are; ImageError that names every fault with its place."""
    try:
        return ImageSpec(**values)
    except ValidationError as error:
        faults = [f"{place}: {fault}" for fault in faults_of(error)]
        raise ImageError("\n".join(faults)) from None


def base_of(root: Path, name: str, spec: ImageSpec) -> Base:
    """Return the base that a specification names; ImageError if there is none of that name."""
    return named_base(read_bases(root), name, spec)


def named_base(bases: Mapping[str, Base], name: str, spec: ImageSpec) -> Base:
    """Return the one of the bases that a specification names; ImageError if there is none of that name."""
    if spec.base not in bases:
        raise ImageError(
            f'{FOLDER}/{name}.toml: base is "{spec.base}", which docker/bases.toml has no table of.'
            f"{suggestion(spec.base, list(bases))} There are: {', '.join(sorted(bases)) or 'none'}."
        )
    return bases[spec.base]


def place_of(base: Base) -> Place:
    return Place(PREFIX, base.python)


def faults_of(error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"] if not isinstance(part, int))
        if fault["type"] == "value_error.extra":
            yield f"{key}: unknown key.{suggestion(key, list(ImageSpec.__fields__))}"
        elif fault["type"] == "value_error.missing":
            yield f"{key} is missing."
        else:
            yield f"{key} {fault['msg']}."
