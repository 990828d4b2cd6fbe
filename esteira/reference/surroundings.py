"""environment-variables.md: what is read of the environment beside make's variables and the settings."""

import re
from pathlib import Path
from typing import Any, Dict, Mapping, Set

from esteira.reference.faults import Faults
from esteira.settings.load import INNER, PREFIX, known_keys
from esteira.variables import VARIABLES, environment_name

WORKFLOWS = Path(".github") / "workflows"
# A variable of the repository on GitHub, as a workflow reads it.
REPOSITORY_VARIABLE = re.compile(r"\bvars\.([A-Z][A-Z0-9_]*)")

# Those of our own that stand behind no target.
OWN: Mapping[str, str] = {
    "ESTEIRA_PYTHON": "The Python 3.8 that the Python environment is made with, where none is found by itself",
    "ESTEIRA_THIN": "With 1 the Python environment is a small one: what a deploy to Google Cloud takes here",
    "ESTEIRA_OVERRIDES": "Set by a build for its steps: which settings were overridden, as a JSON object",
    "ESTEIRA_PLAN": "Set by a build for its steps: what was planned",
    "ESTEIRA_BUILD_ID": "Set by a build for its steps: its id; without it a step is one that a person types",
    "ESTEIRA_REGISTRY_AT": "Set by a rehearsal: where a registry of images is asked instead, as `host=address`",
}
# Those of other programs.
OTHERS: Mapping[str, str] = {
    "GOOGLE_APPLICATION_CREDENTIALS": "The file of credentials for Google Cloud; without it, those of "
    "`gcloud auth application-default login` are used, then those of `gcloud auth login`",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_…": "Where a service of Google Cloud is asked instead, as gcloud knows it",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "The way to Google Cloud, to registries and to package indexes",
    "REQUESTS_CA_BUNDLE": "The file of the certificates that are trusted on that way",
    "PIP_INDEX_URL, PIP_…": "Where packages come from, as pip knows it; so do pip's own files of settings",
    "UV_DEFAULT_INDEX, UV_…": "The same for uv, which serves `make lock`, and the tests and workflows",
    "DOCKER_CONFIG": "The folder of the config.json that has the credentials of registries; else ~/.docker",
    "XDG_CACHE_HOME": "Below it, in esteira/, wheels and programs are kept for all clones; else ~/.cache",
    "PYENV_ROOT": "Where pyenv keeps the Pythons among which a 3.8 is looked for; else ~/.pyenv",
    "NO_COLOR": "Set to anything, it turns colours off",
    "FORCE_COLOR": "Set to anything, it turns colours on where the output is no terminal",
    "TERM": "A terminal that is `dumb` gets no colours",
    "GIT_CONFIG_COUNT": "Settings of git that are handed on to it, with those that the engine adds",
    "HOME": "Where the folders above lie, if nothing else is said",
    "PATH": "Where programs are looked for: git, gcloud, docker or podman",
}
# The repository's variables on GitHub.
ON_GITHUB: Mapping[str, str] = {
    "ESTEIRA_ENV": "The environment that pushes are deployed to; while it is not set, the workflow says how to",
    "ESTEIRA_WORKLOAD_IDENTITY_PROVIDER": "The provider that takes GitHub's tokens, as `make cloud-apply` prints it",
    "ESTEIRA_SERVICE_ACCOUNT": "The service account that a workflow becomes, as `make cloud-apply` prints it",
}


def surroundings_page(root: Path) -> Dict[str, Any]:
    """Return what the page is made of; TemplateError for a variable that is read and not described."""
    faults = Faults()
    for name in INNER:
        variable = f"{PREFIX}{name}"
        faults.expect(OWN.get(variable, ""), f"esteira/reference/surroundings.py: OWN: {variable}", "what it is")
    for name in sorted(repository_variables(root)):
        faults.expect(ON_GITHUB.get(name, ""), f"esteira/reference/surroundings.py: ON_GITHUB: {name}", "what it is")
    faults.check()
    handed_on = {environment_name(name): name for name in VARIABLES}
    return {"own": OWN, "others": OTHERS, "on_github": ON_GITHUB, "handed_on": handed_on}


def repository_variables(root: Path) -> Set[str]:
    """Return the names of the repository's variables that workflows read."""
    texts = [path.read_text(encoding="utf-8") for path in (root / WORKFLOWS).glob("*.yaml")]
    return {name for text in texts for name in REPOSITORY_VARIABLE.findall(text)}


def known_names() -> Set[str]:
    """Return every name that begins with ESTEIRA_ and means something."""
    settings = {f"{PREFIX}{key.replace('.', '_').upper()}" for key in known_keys()}
    return {*settings, *map(environment_name, VARIABLES), *OWN, *ON_GITHUB}
