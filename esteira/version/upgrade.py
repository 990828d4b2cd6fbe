"""Taking a newer version of the engine into a repository that was forked from it, or made from it as a template.

Git merges the engine's tag, so that what was edited here stays, and what both sides changed is shown as a conflict.
"""

from pathlib import Path
from typing import Callable, List, Optional

from esteira.errors import ProgramError, SettingsError, SourceError
from esteira.git import git, git_complaint, git_lines, git_or_empty, unquote
from esteira.version.changelog import CHANGELOG, news
from esteira.version.number import Version, given_version, parse_version
from esteira.version.state import is_merging, refuse_changed

# What GitHub's own program calls the repository that a clone was forked from.
REMOTE = "upstream"
# A place of their own: a fork's v1.0.0 is another thing than the engine's.
TAGS = "refs/engine"


def upgrade(root: Path, own: Version, wanted: str, tell: Callable[[str], None]) -> None:
    """Merge a version, "" being the newest, and say what is new in it.

    Raises SourceError where the working tree is not clean, there is no remote `upstream` or it gives nothing, or both
    sides changed the same lines; SettingsError where there is no such version.
    """
    refuse_changed(root)
    version = choose(fetch_versions(root), own, wanted)
    if version == own:
        return tell(f"This is {own}, the newest version of the engine.")
    tag = f"{TAGS}/{version.tag}"
    tell(f"From {own} to {version}:\n\n{news(git(root, 'show', f'{tag}:{CHANGELOG}'), own, version)}\n")
    if not git_or_empty(root, "merge-base", "HEAD", tag):
        join(root, own)
    merge(root, version, tag)
    tell(f"merged version {version}. What it changes is deployed with: make plan, then make deploy")


def fetch_versions(root: Path) -> List[Version]:
    """Fetch the engine's tags, and return the versions that there are, the newest last."""
    if REMOTE not in git_lines(root, "remote"):
        raise SourceError(
            f"This repository has no remote named {REMOTE}, from which the engine comes.\n"
            f"Run: git remote add {REMOTE} ADDRESS   with the address of the repository that this one was made from"
        )
    try:
        git(root, "fetch", "--quiet", "--no-tags", REMOTE, f"+refs/tags/v*:{TAGS}/v*")
    except ProgramError as error:
        raise SourceError(
            f"{REMOTE} does not give the engine's versions: {git_complaint(error)}\n"
            f"Check the network, and its address: git remote get-url {REMOTE}"
        ) from None
    return sorted(filter(None, map(version_of, git_lines(root, "for-each-ref", "--format=%(refname)", f"{TAGS}/"))))


def version_of(ref: str) -> Optional[Version]:
    try:
        return parse_version(ref.rpartition("/")[2])
    except ValueError:
        return None


def choose(versions: List[Version], own: Version, wanted: str) -> Version:
    """Return the version to merge: the one that is wanted, else the newest, which may be the own one."""
    newer = [version for version in versions if version > own]
    if not wanted:
        return newer[-1] if newer else own
    version = given_version(wanted)
    if version <= own:
        raise SettingsError(f"VERSION={version}: this is {own} already. Expected a newer version")
    if version not in newer:
        raise SettingsError(
            f"VERSION={version}: {REMOTE} has no such version. Newer than {own}: {', '.join(map(str, newer)) or 'none'}"
        )
    return version


def join(root: Path, own: Version) -> None:
    """Record that what is here came from the own version, as a repository made from a template has no commit of it."""
    tag = f"{TAGS}/{own.tag}"
    if not git_or_empty(root, "rev-parse", "--verify", "--quiet", tag):
        raise SourceError(
            f"{REMOTE} has no tag {own.tag}, and no commit in common with this repository: what was edited here cannot "
            f"be told from what the engine changed.\nExpected {REMOTE} to be the repository that this one was made "
            f"from. Run: git remote get-url {REMOTE}"
        )
    message = f"Made from version {own} of the engine"
    git(root, "merge", "--quiet", "--no-ff", "--strategy=ours", "--allow-unrelated-histories", "-m", message, tag)


def merge(root: Path, version: Version, tag: str) -> None:
    try:
        # Whatever merge.ff says, as some have git refuse to merge unless they ask for it.
        git(root, "merge", "--quiet", "--ff", "-m", f"Version {version} of the engine", tag)
    except ProgramError as error:
        files = [unquote(path) for path in git_lines(root, "diff", "--name-only", "--diff-filter=U")]
        if not files:
            if is_merging(root):
                git(root, "merge", "--abort")
            raise SourceError(
                f"Version {version} is not merged, and nothing is changed. {error}\n"
                "Mend what git says, then run: make upgrade"
            ) from None
        listed = "\n".join(f"  {path}" for path in files)
        raise SourceError(
            f"Version {version} and this repository both changed the same lines of:\n{listed}\n"
            "Choose in each what is to stand there. Then: git add --all && git commit\n"
            "Or go back to what was: git merge --abort"
        ) from None
