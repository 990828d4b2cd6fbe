"""Making a version of the engine: CHANGELOG.md, the number, a commit and a tag. Nothing is pushed."""

import re
from pathlib import Path
from typing import Callable, Dict

from esteira.errors import SettingsError, SourceError
from esteira.files import write_text
from esteira.git import git, git_lines, git_or_empty
from esteira.version.changelog import CHANGELOG, FRAGMENTS, read_changelog, towncrier
from esteira.version.fragments import NAME, README, default_branch
from esteira.version.number import Version
from esteira.version.state import refuse_changed

PLACE = "esteira/__init__.py"
LINE = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)


def make_version(root: Path, own: Version, version: Version, tell: Callable[[str], None]) -> None:
    """Make the version and say how to publish it.

    Raises SettingsError, SourceError or ProgramError, and leaves everything as it was, where the version is not newer,
    the working tree is not clean, the branch is not the default one, or nothing in changes/ tells what is new.
    """
    if version < own or version in told_versions(root):
        raise SettingsError(f"VERSION={version}: this is {own} already. Expected a newer version")
    refuse_changed(root)
    branch = refuse_branch(root)
    refuse_tagged(root, version)
    refuse_no_news(root)
    try:
        commit(root, version)
    except BaseException:  # Ctrl-C too, as a hook may take its time
        git(root, "reset", "--quiet", "--hard", "HEAD")
        raise
    tell(f"made version {version}: a commit, and the tag {version.tag}. Nothing was pushed.")
    tell(f"Run: git push origin {branch} {version.tag}")


def told_versions(root: Path) -> Dict[Version, str]:
    """Return what CHANGELOG.md tells of: the versions that were made. The own one is not, before the first one is."""
    return read_changelog((root / CHANGELOG).read_text(encoding="utf-8"))


def refuse_branch(root: Path) -> str:
    """Return the branch that HEAD is; SourceError if it is not the default one."""
    branch = git_or_empty(root, "symbolic-ref", "--short", "HEAD")
    remote = default_branch(root)
    expected = remote[len("origin/") :] if remote.startswith("origin/") else remote
    if branch != expected:
        raise SourceError(f"HEAD is {branch or 'no branch'}. A version is made of {expected}: git checkout {expected}")
    return branch


def refuse_tagged(root: Path, version: Version) -> None:
    if git_lines(root, "tag", "--list", version.tag):
        raise SourceError(f"{version.tag}: there is such a tag already. Expected a version that nobody has")


def refuse_no_news(root: Path) -> None:
    """Raise SourceError if no fragment is there, or one that is not committed, as towncrier removes all of them."""
    files = git_lines(root, "ls-files", "--", FRAGMENTS)
    if not any(NAME.fullmatch(path) for path in files):
        raise SourceError(f"{FRAGMENTS}/: no file tells what is new. Expected one as {README} describes")
    new = git_lines(root, "ls-files", "--others", "--exclude-standard", "--", FRAGMENTS)
    if new:
        raise SourceError(f"{new[0]}: is not committed. Run: git add {FRAGMENTS} && git commit")


def commit(root: Path, version: Version) -> None:
    place = root / PLACE
    write_text(place, LINE.sub(f'__version__ = "{version}"', place.read_text(encoding="utf-8")))
    towncrier(root, "build", "--yes", "--version", str(version))
    git(root, "commit", "--quiet", "--all", "--message", f"Version {version}")
    message = f"Version {version}\n\n{told_versions(root)[version]}\n"
    git(root, "tag", "--annotate", "--cleanup=verbatim", "--file=-", version.tag, input_text=message)
