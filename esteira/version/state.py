"""What must be so before a version is made or merged."""

from pathlib import Path

from esteira.errors import ProgramError, SourceError
from esteira.git import git, git_lines, git_or_empty
from esteira.source.status import NO_WORKING_TREE


def refuse_no_repository(root: Path) -> None:
    """Raise SourceError if a folder is in no repository of git; ProgramError if there is no git."""
    try:
        git(root, "rev-parse", "--git-dir")
    except ProgramError as error:
        if not NO_WORKING_TREE.search(str(error)):
            raise
        raise SourceError(f"{root}: is in no git repository. Expected a clone: git clone ADDRESS") from None


def refuse_changed(root: Path) -> None:
    """Raise SourceError if a file that git knows differs from HEAD. What git does not know stays as it is."""
    refuse_no_repository(root)
    # To commit all would take lines with both sides' marks for what was chosen.
    if is_merging(root):
        raise SourceError(
            "A merge is not finished. Choose in each file that git status names what is to stand there.\n"
            "Then: git add --all && git commit   Or go back to what was: git merge --abort"
        )
    changed = git_lines(root, "status", "--porcelain", "--untracked-files=no")
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise SourceError(
            f"{changed[0][3:]}{more}: changed, and not committed.\n"
            "Expected a clean working tree. Run: git commit --all   or: git stash"
        )


def is_merging(root: Path) -> bool:
    return bool(git_or_empty(root, "rev-parse", "--quiet", "--verify", "MERGE_HEAD"))
