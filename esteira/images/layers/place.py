"""Where the packages of a lock lie in an image: a virtual environment of its own, beside the base's packages."""

from dataclasses import dataclass
from typing import Dict

VERSION = "3.8"
CACHE_TAG = "cpython-38"


@dataclass(frozen=True)
class Place:
    """A virtual environment at `prefix`, on the base's interpreter `python`; both are absolute paths."""

    prefix: str
    python: str

    @property
    def interpreter(self) -> str:
        """What scripts name in their first line."""
        return f"{self.prefix}/bin/python"

    @property
    def packages(self) -> str:
        return f"{self.prefix}/lib/python{VERSION}/site-packages"

    def folder_of(self, scheme: str, distribution: str) -> str:
        """Return the folder of one of a wheel's schemes, as pip lays them out in a virtual environment.

        https://packaging.python.org/en/latest/specifications/binary-distribution-format
        """
        folders: Dict[str, str] = {
            "purelib": self.packages,
            "platlib": self.packages,
            "scripts": f"{self.prefix}/bin",
            "data": self.prefix,
            "headers": f"{self.prefix}/include/site/python{VERSION}/{distribution}",
        }
        return folders[scheme]
