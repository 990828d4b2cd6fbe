"""What every section of the settings is: immutable, and closed to keys that it does not know."""

import re

from pydantic import BaseModel

# Registries and their mirrors, such as Artifact Registry's remote repositories.
MIRRORS_PATTERN = re.compile(r"^(?!.*//)[\w.:-]+=[\w.:/-]+(,[\w.:-]+=[\w.:/-]+)*\Z")


class Section(BaseModel):
    """A section: immutable, and closed to keys that it does not know."""

    class Config:
        allow_mutation = False
        extra = "forbid"


def matched(value: str, pattern: "re.Pattern[str]", expected: str) -> str:
    """Return the value if it matches, else raise ValueError with what was expected."""
    if not pattern.match(value):
        raise ValueError(f'is "{value}"; expected {expected}')
    return value


def matched_mirrors(value: str) -> str:
    """Return mirrors as they are given; ValueError unless each is host=mirror."""
    if value and not MIRRORS_PATTERN.match(value):
        example = "docker.io=europe-west1-docker.pkg.dev/my-project/docker-hub"
        raise ValueError(f'is "{value}"; expected registries and what stands for them, such as {example}')
    return value
