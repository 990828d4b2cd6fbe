"""A build file as steps that can be started, once all of it is known to run here."""

from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from esteira.builds.document import Document, read_document
from esteira.builds.durations import parse_duration_s
from esteira.builds.lint import DEFAULT_TIMEOUT_S, lint_document
from esteira.builds.substitutions import substitute
from esteira.errors import BuildError
from esteira.local.builds.environment import read_variables
from esteira.local.builds.schedule import find_waits
from esteira.local.builds.support import support_faults
from esteira.source import Source

PROJECT = "local"


@dataclass(frozen=True)
class Step:
    """A step with every substitution made.

    `waits` holds the positions of the steps to wait for; `command` is empty where there is a `script`;
    `secrets` are the variables that Secret Manager gives, here whoever runs the build; `folder` is
    relative to the workspace. `allowed` tells which exit statuses do not fail the build (None: every one).
    """

    id: str
    waits: FrozenSet[int]
    command: Tuple[str, ...]
    script: str
    folder: str
    variables: Dict[str, str]
    secrets: Tuple[str, ...]
    timeout_s: Optional[float]
    allowed: Optional[FrozenSet[int]]

    def allows(self, status: Optional[int]) -> bool:
        """Tell whether a failure is allowed; a status of None means that the step was ended."""
        return self.allowed is None or status in self.allowed


@dataclass(frozen=True)
class Build:
    """The steps of a build in the file's order, and how long all may take."""

    steps: Sequence[Step]
    timeout_s: float


def built_in_substitutions(source: Source, repository: str, build_id: str) -> Dict[str, str]:
    """Return the built-in substitutions that have an honest value on this machine."""
    return {
        "PROJECT_ID": PROJECT,
        "LOCATION": PROJECT,
        "BUILD_ID": build_id,
        "COMMIT_SHA": source.commit,
        "REVISION_ID": source.commit,
        "SHORT_SHA": source.short,
        "BRANCH_NAME": source.branch,
        "REPO_NAME": repository,
    }


def read_build(text: str, name: str, given: Mapping[str, str], built_in: Mapping[str, str]) -> Build:
    """Return the build in a file's text, with the substitutions that were given for it.

    Raises BuildError with every fault of the file, and every field that cannot be honoured here.
    """
    document = read_document(text, name)
    take_given(document, given)
    faults = lint_document(document)
    if not faults:
        values = {**built_in, **document.value.get("substitutions", {})}
        faults = list(support_faults(document, values))
    if faults:
        lines = "\n".join(str(fault) for fault in faults)
        raise BuildError(f"{lines}\nNothing was run. Mend the file, or its template and run: make generate")
    return plan_build(document.value, values)


def take_given(document: Document, given: Mapping[str, str]) -> None:
    """Put the given substitutions over the file's own, as gcloud builds submit does."""
    if not isinstance(document.value, dict) or not given:
        return
    own = document.value.get("substitutions", {})
    if isinstance(own, dict):
        document.value["substitutions"] = {**own, **given}


def plan_build(build: Dict[str, Any], values: Mapping[str, str]) -> Build:
    names = name_steps(build["steps"])
    waits = find_waits(build["steps"])
    options = build.get("options", {})
    steps = [plan_step(step, name, needed, options, values) for step, name, needed in zip(build["steps"], names, waits)]
    return Build(steps, parse_duration_s(build["timeout"]) if "timeout" in build else DEFAULT_TIMEOUT_S)


def plan_step(
    step: Dict[str, Any], name: str, waits: FrozenSet[int], options: Dict[str, Any], values: Mapping[str, str]
) -> Step:
    entries = [*options.get("env", []), *step.get("env", [])]
    variables = read_variables([substitute(entry, values) for entry in entries])
    if step.get("automapSubstitutions", options.get("automapSubstitutions", False)):
        variables = {**values, **variables}
    entrypoint = [substitute(step["entrypoint"], values)] if step.get("entrypoint") else []
    return Step(
        id=name,
        waits=waits,
        command=tuple(entrypoint + [substitute(argument, values) for argument in step.get("args", [])]),
        script=step.get("script", ""),
        folder=substitute(step.get("dir", ""), values),
        variables=variables,
        secrets=tuple([*options.get("secretEnv", []), *step.get("secretEnv", [])]),
        timeout_s=parse_duration_s(step["timeout"]) if "timeout" in step else None,
        allowed=allowed_statuses(step),
    )


def allowed_statuses(step: Dict[str, Any]) -> Optional[FrozenSet[int]]:
    """Return the exit statuses that do not fail the build, None for all.

    BuildStep.allowExitCodes: "If allow_failure is also specified, this field will take precedence."
    """
    codes: List[int] = step.get("allowExitCodes", [])
    return None if step.get("allowFailure") and not codes else frozenset(codes)


def name_steps(steps: Sequence[Dict[str, Any]]) -> List[str]:
    """Return each step's id, or step-<position> for one that has none."""
    taken = {step["id"] for step in steps if step.get("id")}
    names = []
    for index, step in enumerate(steps):
        name = step.get("id") or f"step-{index}"
        while not step.get("id") and name in taken:
            name += "_"
        names.append(name)
    return names
