"""`make plan BASE=commit`: what a deploy would do if a commit were what is deployed.

It takes no look at any environment, and so no credentials: what a pull request's merge would deploy is known from the
branch that it merges into, where that branch is deployed on each push.
"""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, Optional

from esteira.data.user_csv import find_csv
from esteira.deploy.planned import plan_here
from esteira.errors import ProgramError, SettingsError, SourceError
from esteira.git import EXPECTED_COMMIT, git, list_tree
from esteira.local.builds.workspace import fill_workspace
from esteira.release.ancestry import relate
from esteira.release.inputs import Inputs, inputs_here
from esteira.release.plan import Plan, compared_plan, unreadable_base
from esteira.settings import Settings
from esteira.source import Source, frozen_source
from esteira.source.freeze import tree_below
from esteira.source.scratch import scratch_folder

# Returns the settings of the repository that is laid down in a folder, with the same variables and flags as here.
ReadSettings = Callable[[Path], Settings]


def plan_against(settings: Settings, base: Optional[str], read_settings: ReadSettings) -> Plan:
    """Return the plan for what is here: against what is deployed, or as if the commit `base` were."""
    return plan_since(settings, base, read_settings) if base else plan_here(settings)


def plan_since(settings: Settings, base: str, read_settings: ReadSettings) -> Plan:
    """Return the plan if the commit that `base` names in git's words were deployed.

    Raises SourceError if it names none, and what `inputs_here` raises, for either of both.
    """
    commit = commit_named(settings.root, base)
    csv = find_csv(settings)
    with frozen_source(settings.root, settings.state, str(csv or "")) as source:
        inputs = inputs_here(settings, source)
        relation = relate(settings.root, settings.state, commit, source.commit)
        with laid_down(settings, commit) as former:
            try:
                former_settings = as_here(settings, read_settings(former.root))
            except SettingsError as error:
                return unreadable_base(former, str(error), source, inputs)
            return compared_plan(former, relation, source, inputs_of(former_settings, settings, former), inputs)


def commit_named(root: Path, base: str) -> str:
    """Return the full hash of the commit that a text names; SourceError if it names none here."""
    try:
        return git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}").strip()
    except ProgramError:
        raise SourceError(f"BASE={base}: names no commit here. {EXPECTED_COMMIT}") from None


@contextmanager
def laid_down(settings: Settings, commit: str) -> Iterator[Source]:
    """Yield the source of a commit; its files lie in the folder `root` of it, which is no repository."""
    root = settings.root
    tree = tree_below(root, commit)
    source = Source(root=root, commit=commit, branch="", changed=0, tree=tree, files=list_tree(root, tree))
    with scratch_folder(root, settings.state) as folder:
        fill_workspace(folder / "source", source)
        yield replace(source, root=folder / "source")


def as_here(here: Settings, former: Settings) -> Settings:
    """Return the former settings; a CSV that is no file of the repository is the one that lies here."""
    file = former.data.file
    if file and not (former.root / file).is_file() and (here.root / file).is_file():
        data = former.data.copy(update={"file": str(here.root / file)})
        former = former.copy(update={"data": data})
    return former.copy(update={"state": here.state})


def inputs_of(former_settings: Settings, here: Settings, former: Source) -> Dict[str, Inputs]:
    """Return the inputs of a source that is laid down; its objects are in the repository here."""
    return inputs_here(former_settings, replace(former, root=here.root))
