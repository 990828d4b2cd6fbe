"""What this repository asks of its workflows beyond what linters know."""

import re
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Sequence, Tuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Fault = Tuple[int, str]

PINNED = re.compile(r"uses:\s*[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
# What a step of the workflow that deploys may do: the engine is called by make, and nothing is done beside it.
DEPLOY = "deploy.yaml"
MAKE = r'make [a-z-]+( [A-Z]+=("\$\w+"|[\w^~]+))*'
COMMANDS = re.compile(
    rf'{MAKE}( >>"\$GITHUB_STEP_SUMMARY")?|\w+=\$\({MAKE}\)|echo "(\w+)=\$\w+" >>"\$GITHUB_OUTPUT"'
    r'|cat \.github/[\w-]+\.md >>"\$GITHUB_STEP_SUMMARY"'
)


def broken_rules(paths: Sequence[Path]) -> List[str]:
    """Return a line for each rule that a workflow breaks."""
    return [f"rules: {path}:{line}: {fault}" for path in paths for line, fault in sorted(faults_of(path))]


def faults_of(path: Path) -> Iterator[Fault]:
    text = path.read_text(encoding="utf-8")
    try:
        top = yaml.compose(text)
    except yaml.YAMLError:
        return  # told by the schema
    if not isinstance(top, MappingNode):
        return
    for number, line in enumerate(text.splitlines(), 1):
        yield from ((number, fault) for fault in faults_of_line(line))
    for rule in RULES:
        yield from rule(top)
    if path.name == DEPLOY:
        yield from only_make(top)


def faults_of_line(line: str) -> Iterator[str]:
    code = line.strip()
    if re.match(r"(- )?uses:", code) and not PINNED.search(line):
        yield "expected an action pinned as owner/name@<40 hex> # v1.2.3"
    if re.search(r"\bsecrets\b", code.partition("#")[0]):
        yield "reads a secret. Expected none: workflows sign in without a key"


def no_foreign_trigger(top: MappingNode) -> Iterator[Fault]:
    trigger = entries(top).get("on")
    for name in names(trigger):
        if name.value in ("pull_request_target", "workflow_run"):
            yield line(name), f"{name.value} lends a fork this repository's rights. Expected pull_request"


def no_permissions_at_the_top(top: MappingNode) -> Iterator[Fault]:
    given = entries(top).get("permissions")
    if not isinstance(given, MappingNode) or given.value:
        yield line(given or top), "expected permissions: {} at the top, and what each job needs in the job"


def each_job_says_its_limits(top: MappingNode) -> Iterator[Fault]:
    for job in jobs(top):
        for key in ("permissions", "timeout-minutes"):
            if key not in entries(job):
                yield line(job), f"the job has no {key}"


def no_expression_in_a_script(top: MappingNode) -> Iterator[Fault]:
    for script in scripts(top):
        for offset, text in enumerate(script.value.splitlines()):
            if "${{" in text:
                yield first_line(script) + offset, "an expression in a script can become code. Expected env"


def only_make(top: MappingNode) -> Iterator[Fault]:
    for script in scripts(top):
        for offset, text in enumerate(script.value.splitlines()):
            if not COMMANDS.fullmatch(text.strip()):
                yield first_line(script) + offset, f"{text.strip()}: expected nothing but make"


RULES: List[Callable[[MappingNode], Iterator[Fault]]] = [
    no_foreign_trigger,
    no_permissions_at_the_top,
    each_job_says_its_limits,
    no_expression_in_a_script,
]


def jobs(top: MappingNode) -> List[MappingNode]:
    found = entries(top).get("jobs")
    return [job for job in entries(found).values() if isinstance(job, MappingNode)]


def scripts(top: MappingNode) -> Iterator[ScalarNode]:
    for job in jobs(top):
        steps = entries(job).get("steps")
        for step in steps.value if isinstance(steps, SequenceNode) else ():
            script = entries(step).get("run")
            if isinstance(script, ScalarNode):
                yield script


def entries(node: object) -> Dict[str, Node]:
    return {name.value: value for name, value in node.value} if isinstance(node, MappingNode) else {}


def names(node: object) -> List[ScalarNode]:
    """Return the keys of a mapping, the items of a list, or the one name that stands alone."""
    if isinstance(node, MappingNode):
        return [name for name, _ in node.value]
    if isinstance(node, SequenceNode):
        return list(node.value)
    return [node] if isinstance(node, ScalarNode) else []


def line(node: Node) -> int:
    number: int = node.start_mark.line
    return number + 1


def first_line(script: ScalarNode) -> int:
    """Return the line that a script begins in: the one after the sign of a block."""
    return line(script) + (script.style in ("|", ">"))
