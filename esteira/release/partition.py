"""Which files and settings each part of a release is made of: the one place that says so.

A change of any of them changes the part's digest, and with it what a deploy has to do. What stands
nowhere here, such as tests/ or [tuning], can change without a deploy.
"""

import re
from functools import lru_cache
from typing import Dict, NamedTuple, Pattern, Tuple, TypeVar

from typing_extensions import Literal

Value = TypeVar("Value")


def left_behind(*folders: str) -> Tuple[str, ...]:
    """Return what editors and Python leave there: backups, byte code, hidden files and all below hidden folders.

    The patterns mean the same here and to git.
    """
    names = (".*", ".*/**", "*~", "*.pyc", "__pycache__/**")
    return tuple(f"{folder}/{below}{name}" for folder in folders for below in ("", "**/") for name in names)


CODE = ("esteira/**", "pipeline/**", "requirements.lock", "requirements.wheels")
HYPERPARAMETERS = "modules/best_hyperparameters/**"
# They make the default data, so they count only where no CSV of one's own is trained on.
DEFAULT_DATA = ("modules/create_dataset.py", "modules/dataset.txt")
# They tell how a CSV is read, so they count only where there is one.
CSV_COLUMNS = ("data.text_column", "data.label_column", "data.source_column")
# A secret in a hidden file must not get into an image that is pushed.
NO_CODE = left_behind("esteira", "pipeline", "docker")

# Who may deploy; `make cloud-apply` says it to Google.
WHO_MAY = ("environment.github", "environment.github_owner_id", "environment.github_ref")

# Values that no setting holds: the digest of the user's CSV, and that of a local encoder's folder.
CSV = "csv"
ENCODER = "hub_digest"


class Rule(NamedTuple):
    """What a part is, what it is made of, and the kind of deploy that it takes to change it.

    `*` in a path stands for anything within one folder, `**` for anything below it. `values` are
    settings as "section.key", `environment` being the chosen one's own table. `but` are left out.
    """

    kind: Literal["partial", "full"]
    what: str
    files: Tuple[str, ...] = ()
    values: Tuple[str, ...] = ()
    but: Tuple[str, ...] = ()


PARTITION: Dict[str, Rule] = {
    "image": Rule(
        "full",
        "The container images that steps and tasks run in: Python, its packages, the engine and the pipeline",
        files=(*CODE, "docker/**"),
        but=NO_CODE,
    ),
    "job": Rule(
        "full",
        "The compiled pipeline; its image and the places of the other parts are left open, and bound by a release",
        files=CODE,
        values=("pipeline.name", "training.*", "gate.*", ENCODER),
        but=NO_CODE,
    ),
    # What makes one file of modules/ counts, too; of modules/ just the files that count here travel in it.
    "modules": Rule(
        "partial",
        "The code of the model, as one file",
        files=("modules/**", "esteira/jobs/bundle*.py"),
        but=(HYPERPARAMETERS, *DEFAULT_DATA, *left_behind("modules")),
    ),
    "data": Rule(
        "partial",
        "The rows to train on and to evaluate on, and the schema that they must obey",
        files=("esteira/data/**", "pipeline/schema.pbtxt", *DEFAULT_DATA),
        values=("data.*", CSV),
        but=("data.file", *NO_CODE),
    ),
    "hyperparameters": Rule("partial", "The hyperparameters, as `make tune` found them", files=(HYPERPARAMETERS,)),
    "settings": Rule(
        "partial",
        "How a release is built and served, and where",
        files=("cloudbuild/*.j2", "tasks.py", ".github/workflows/deploy.yaml"),
        values=("serving.*", "build.*", "cloud.*", "trainer.*", "endpoint.*", "log.*", "environment.*"),
        but=("serving.host", "serving.port", "cloud.poll_s", "log.lands_s", *WHO_MAY, "environment.mirrors"),
    ),
}

PATTERNS = sorted({pattern for rule in PARTITION.values() for pattern in rule.files})
LEFT_OUT = (*NO_CODE, *left_behind("modules"))


def files_of(part: str, files: Dict[str, Value], *, default_data: bool) -> Dict[str, Value]:
    """Return the files that belong to a part, of a mapping from paths relative to the repository."""
    rule = PARTITION[part]
    unused = () if default_data else DEFAULT_DATA
    return matching(files, rule.files, (*rule.but, *unused))


def values_of(part: str, values: Dict[str, Value], *, default_data: bool) -> Dict[str, Value]:
    """Return the values that belong to a part, of a mapping from "section.key"."""
    rule = PARTITION[part]
    unused = CSV_COLUMNS if default_data else ()
    return matching(values, rule.values, (*rule.but, *unused))


def is_above(part: str, path: str) -> bool:
    """Return whether a path is that of a folder which files of the part lie in."""
    return any(pattern.startswith(f"{path}/") for pattern in PARTITION[part].files)


def matching(known: Dict[str, Value], patterns: Tuple[str, ...], but: Tuple[str, ...]) -> Dict[str, Value]:
    wanted, unwanted = expression(patterns).fullmatch, expression(but).fullmatch
    return {name: value for name, value in known.items() if wanted(name) and not unwanted(name)}


@lru_cache(maxsize=None)
def expression(patterns: Tuple[str, ...]) -> "Pattern[str]":
    """Return one regular expression for all the patterns; that for none matches nothing."""
    escaped = [re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") for pattern in patterns]
    return re.compile("|".join(escaped) or "(?!)", re.DOTALL)
