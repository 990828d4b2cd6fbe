"""CHANGELOG.md: what changed for those who use the engine, by version, the newest first.

towncrier writes it from the fragments in changes/, as pyproject.toml says.
"""

import re
import sys
from pathlib import Path
from typing import Dict, Optional

from esteira.errors import SettingsError
from esteira.process import run_program
from esteira.version.number import PATTERN, Version, parse_version

CHANGELOG = "CHANGELOG.md"
FRAGMENTS = "changes"
HEADING = re.compile(r"^## (\S+)[^\n]*\n?", re.MULTILINE)


def read_changelog(text: str) -> Dict[Version, str]:
    """Return what a changelog says of each version, without its heading; a section of another name is a fork's own."""
    pieces = HEADING.split(text)[1:]
    sections = zip(pieces[::2], pieces[1::2])
    return {parse_version(name): body.strip() for name, body in sections if PATTERN.fullmatch(name)}


def news(text: str, after: Version, upto: Version) -> str:
    """Return what a changelog says of the versions after one, up to another, headings and all."""
    told = read_changelog(text)
    return "\n\n".join(f"{version}\n\n{told[version]}" for version in told if after < version <= upto)


def show_changelog(root: Path, version: Optional[Version]) -> str:
    """Return what CHANGELOG.md says of a version, or what it is going to say of the next; SettingsError if nothing."""
    if version is None:
        return draft(root)
    told = read_changelog((root / CHANGELOG).read_text(encoding="utf-8"))
    if version not in told:
        known = f"Expected one of: {', '.join(map(str, told))}" if told else "It tells of none yet. Run: make changelog"
        raise SettingsError(f"VERSION={version}: {CHANGELOG} tells of no such version. {known}")
    return told[version]


def draft(root: Path) -> str:
    return towncrier(root, "build", "--draft", "--version", "next").strip()


def towncrier(root: Path, *arguments: str) -> str:
    """Run towncrier, which is one of the tools for development, and return its output. Raises ProgramError."""
    return run_program([sys.executable, "-m", "towncrier", *arguments], cwd=root)
