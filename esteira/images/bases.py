"""The pins of the bases in docker/bases.toml: which image, by digest, and the tag that people know it by."""

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping

from esteira.errors import ImageError
from esteira.images.registry.reference import Reference, mirrored, parse_reference
from esteira.images.toml import read_toml
from esteira.settings import Settings
from esteira.suggest import suggestion

FILE = "docker/bases.toml"
EXAMPLE = "tables such as [python]."
DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
DIGEST_LINE = re.compile(r"(?P<before>\s*digest\s*=\s*)(?:\"[^\"]*\"|'[^']*')(?P<after>.*\n?)")
HEADER = re.compile(r"\s*\[(?P<name>[^\]]+)\]")
KEYS = ("image", "tag", "digest", "python")
EXPECTED = {
    "image": "an image such as docker.io/library/python",
    "tag": "the tag that people know it by, such as 3.8-slim",
    "python": "the absolute path of a Python 3.8 in the image",
}


@dataclass(frozen=True)
class Base:
    """A base image: `image` without tag or digest, the digest of its index or manifest, and its Python 3.8."""

    name: str
    image: str
    tag: str
    digest: str
    python: str

    @property
    def reference(self) -> str:
        """The image by digest, as a registry is asked for it."""
        return f"{self.image}@{self.digest}"

    @property
    def tagged(self) -> str:
        return f"{self.image}:{self.tag}"


def base_reference(settings: Settings, base: Base) -> Reference:
    """Return where a base is fetched from: its registry, or the mirror that is set for it."""
    return mirrored(parse_reference(base.reference), settings.mirrors)


def read_bases(root: Path, *, pinned: bool = True) -> Dict[str, Base]:
    """Return the bases by name; ImageError that names every fault, among them an image without a digest if `pinned`."""
    return bases_of(read_toml(root, FILE, EXAMPLE), pinned=pinned)


def bases_of(tables: Mapping[str, Any], *, pinned: bool = True) -> Dict[str, Base]:
    """Return the bases that a file's tables are; ImageError as read_bases has it."""
    faults = [fault for name, table in tables.items() for fault in table_faults(name, table, pinned)]
    if faults:
        raise ImageError("\n".join(f"{FILE}: {fault}" for fault in faults))
    return {name: Base(**{"name": name, "digest": "", **table}) for name, table in tables.items()}


def table_faults(name: str, table: Any, pinned: bool) -> List[str]:
    if not isinstance(table, dict):
        return [f"{name}: is no table. Expected [{name}] with {', '.join(KEYS)}."]
    faults = [f"{name}.{key}: unknown key.{suggestion(key, list(KEYS))}" for key in table if key not in KEYS]
    faults += [f"{name}.{key} is missing." for key in KEYS if key not in table and key != "digest"]
    texts = {key: value for key, value in table.items() if isinstance(value, str)}
    faults += [f"{name}.{key} is {table[key]!r}; expected a text." for key in table if key not in texts]
    return faults or value_faults(name, table, pinned)


def value_faults(name: str, table: Mapping[str, str], pinned: bool) -> List[str]:
    faults = [f"{name}.{key} is empty; expected {EXPECTED[key]}." for key in EXPECTED if not table[key].strip()]
    if faults:
        return faults
    if "@" in table["image"] or ":" in table["image"].rpartition("/")[2]:
        faults.append(f'{name}.image is "{table["image"]}"; expected no tag or digest in it: they have their own keys.')
    if pinned and not DIGEST.match(table.get("digest", "")):
        faults.append(
            f'base image "{table["image"]}:{table["tag"]}" has no digest.\n'
            f"Expected {name}.digest to be sha256:<64 hex>. Run: make pins"
        )
    if not posixpath.isabs(table["python"]):
        faults.append(f'{name}.python is "{table["python"]}"; expected {EXPECTED["python"]}.')
    return faults


def with_digest(text: str, name: str, digest: str) -> str:
    """Return the text of bases.toml with another digest in the table `name`, all else as it was.

    Raises ImageError where the table is not written in lines of its own, which alone leaves comments as they are.
    """
    lines, start = text.splitlines(keepends=True), header_line(text, name)
    for number in range(start + 1, len(lines)):
        if HEADER.match(lines[number]):
            break
        match = DIGEST_LINE.match(lines[number])
        if match:
            lines[number] = f'{match["before"]}"{digest}"{match["after"]}'
            return "".join(lines)
    lines.insert(start + 1, f'digest = "{digest}"\n')
    return "".join(lines)


def header_line(text: str, name: str) -> int:
    """Return the number of the line that begins a table, counted from 0."""
    for number, line in enumerate(text.splitlines()):
        found = HEADER.match(line)
        if found and found["name"].strip(" \"'") == name:
            return number
    raise ImageError(f"{FILE}: has no line [{name}]. Expected one, with the keys of the base in lines below it.")
