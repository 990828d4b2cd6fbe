"""A source: the commit that is checked out, and the tree of what is there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional

from esteira.git import GITLINK, alternates, git_or_empty

SHORT_LENGTH = 7


@dataclass(frozen=True)
class Source:
    """The repository at `root` and its state when it was frozen.

    `commit` is empty before the first commit and `branch` where none is checked out; `changed` counts
    the files that differ from the commit. `tree` is a git tree, and `files` maps its paths, relative
    to `root`, to "mode id". Where it is not the commit's tree, `objects` is a folder that holds what
    the repository has not, and that is removed with the frozen source.
    """

    root: Path
    commit: str
    branch: str
    changed: int
    tree: str
    files: Dict[str, str]
    objects: Optional[Path] = None

    @property
    def short(self) -> str:
        """The first seven characters of the commit, as Cloud Build's $SHORT_SHA has them."""
        return self.commit[:SHORT_LENGTH]

    @property
    def is_dirty(self) -> bool:
        return not self.commit or self.changed > 0

    @property
    def submodules(self) -> List[str]:
        return [path for path, entry in self.files.items() if entry.startswith(GITLINK)]

    @property
    def variables(self) -> Dict[str, str]:
        """What git must be told to find every object of the tree."""
        return alternates(self.objects) if self.objects else {}

    def describe(self) -> str:
        """Return one plain line that says what is built."""
        if not self.commit:
            return f"the working tree, {count(self.changed)}; there is no commit yet"
        where = f" ({self.branch})" if self.branch else ""
        if self.changed:
            verb = "differs" if self.changed == 1 else "differ"
            return f"the working tree, not a commit: {count(self.changed)} {verb} from {self.short}{where}"
        return f"commit {self.short}{where}"


def repository_name(root: Path) -> str:
    """Return the last part of the URL of `origin`, else of the folder's name."""
    url = git_or_empty(root, "config", "--get", "remote.origin.url")
    name = url.rstrip("/").replace(":", "/").rpartition("/")[2]
    return name[: -len(".git")] if name.endswith(".git") else name or root.resolve().name


def count(files: int) -> str:
    return "1 file" if files == 1 else f"{files:,} files"
