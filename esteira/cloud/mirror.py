"""The mirrors of an environment that are repositories of Artifact Registry.

https://cloud.google.com/artifact-registry/docs/docker/pushing-and-pulling has the form of their names.
"""

import re
from typing import List, NamedTuple, Optional

from esteira.settings import Environment

NAME = re.compile(r"([a-z0-9-]+)-docker\.pkg\.dev/([^/]+)/([^/]+)")


class Mirror(NamedTuple):
    location: str
    project: str
    repository: str

    @property
    def path(self) -> str:
        return f"projects/{self.project}/locations/{self.location}/repositories/{self.repository}"


def find_mirror(name: str) -> Optional[Mirror]:
    """Return the repository that host/project/repository names; None for what is no such name."""
    match = NAME.match(name)
    return Mirror(*match.groups()) if match else None


def mirrors(place: Environment) -> List[str]:
    """Return the mirrors as host/project/repository; the environment's own repository is none."""
    pairs = [pair.partition("=")[2] for pair in place.mirrors.split(",") if pair]
    names = {match.group() for match in map(NAME.match, pairs) if match}
    return sorted(names - {f"{place.region}-docker.pkg.dev/{place.project}/{place.repository}"})


def is_of_project(name: str, project: str) -> bool:
    """Return whether what a name stands for is in a project, as is all that is no mirror."""
    mirror = find_mirror(name)
    return mirror is None or mirror.project == project
