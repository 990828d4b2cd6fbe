"""What must be so before a version is made or merged."""

from pathlib import Path

from esteira.errors import SourceError
from esteira.git import git_lines


def refuse_changed(root: Path) -> None:
    """Raise SourceError if a file that git knows differs from HEAD. What git does not know stays as it is."""
    changed = git_lines(root, "status", "--porcelain", "--untracked-files=no")
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise SourceError(
            f"{changed[0][3:]}{more}: changed, and not committed.\n"
            "Expected a clean working tree. Run: git commit --all   or: git stash"
        )
