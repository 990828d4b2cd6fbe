"""What the targets version, changelog and upgrade do."""

from pathlib import Path
from typing import Callable, Optional

from esteira.version.changelog import show_changelog
from esteira.version.make_version import make_version
from esteira.version.number import given_version, own_version
from esteira.version.upgrade import upgrade as merge_version


def show_or_make_version(root: Path, wanted: Optional[str], tell: Callable[[str], None]) -> None:
    """Tell the engine's version, or make the one that is wanted."""
    if wanted is None:
        tell(str(own_version()))
    else:
        make_version(root, own_version(), given_version(wanted), tell)


def changelog(root: Path, wanted: Optional[str]) -> str:
    """Return what CHANGELOG.md says of the version that is wanted, else of the next one."""
    return show_changelog(root, given_version(wanted) if wanted else None)


def upgrade(root: Path, wanted: Optional[str], tell: Callable[[str], None]) -> None:
    """Merge the version that is wanted, else the newest."""
    merge_version(root, own_version(), wanted or "", tell)
