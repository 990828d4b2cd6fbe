"""A repository to rehearse in: a clone of what is here, changed where a rehearsal has to."""

import json
import shutil
from pathlib import Path
from typing import Dict, Mapping

from esteira.git import git
from esteira.local.builds.workspace import fill_workspace
from esteira.settings import Settings, load_settings
from esteira.settings.load import FILE
from esteira.source import frozen_source

# The environment that is rehearsed where esteira.toml has none of the name.
MADE_UP = {
    "project": "demo-project",
    "region": "europe-west1",
    "bucket": "demo-project-releases",
    "repository": "esteira",
}


def clone_here(settings: Settings, name: str, folder: Path) -> Path:
    """Return a new repository below `folder` with what is here, uncommitted changes too, and the environment `name`."""
    clone, tree = folder / "clone", folder / "repository"
    for path in (clone, tree):
        shutil.rmtree(path, ignore_errors=True)
    options = ("--quiet", "--shared", "--no-checkout")
    git(settings.root, "clone", *options, str(settings.root), str(clone))
    with frozen_source(settings.root, settings.state) as source:
        fill_workspace(tree, source)
    (clone / ".git").rename(tree / ".git")
    git(tree, "reset", "--quiet")
    shutil.rmtree(clone)
    if name not in settings.environments:
        with (tree / FILE).open("a", encoding="utf-8") as stream:
            stream.write(f"\n[environments.{json.dumps(name)}]\n")
            stream.writelines(f"{key} = {json.dumps(value)}\n" for key, value in MADE_UP.items())
    return tree


def settings_of(repository: Path, name: str, state: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings of an environment in the repository; SettingsError for what is wrong with them."""
    return load_settings(repository, variables(environ, name, state), {})


def variables(environ: Mapping[str, str], name: str, state: Path) -> Dict[str, str]:
    """Return what a command is told about whom it is to deploy for; credentials of the user's own are left out."""
    kept = {key: value for key, value in environ.items() if not key.startswith(("GOOGLE_", "CLOUDSDK_", "MAKE"))}
    return {**kept, "ESTEIRA_ENV": name, "ESTEIRA_STATE": str(state)}
