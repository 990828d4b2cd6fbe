"""The placeholders of a job's commands and queries, as Vertex AI replaces them.

https://cloud.google.com/vertex-ai/docs/pipelines/build-own-components names the inputs'
and outputs'; `{{$}}` is the whole ExecutorInput as JSON.
"""

import json
import re
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

from esteira.errors import JobError
from esteira.local.jobs.invocation import Invocation
from esteira.local.jobs.parameters import format_value
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import Container, Resolver, Task

PLACEHOLDER = re.compile(r"\{\{\$(.*?)\}\}", re.DOTALL)
KEY = r"\['(?P<key>[^']+)'\]"
INPUT_PARAMETER = re.compile(rf"\.inputs\.parameters{KEY}")
INPUT_ARTIFACT = re.compile(
    rf"\.inputs\.artifacts{KEY}\.(?P<field>uri|name|value|metadata(\['(?P<property>[^']+)'\])?)"
)
OUTPUT_ARTIFACT = re.compile(rf"\.outputs\.artifacts{KEY}\.(?P<field>uri|name|metadata(\['(?P<property>[^']+)'\])?)")
OUTPUT_PARAMETER = re.compile(rf"\.outputs\.parameters{KEY}\.output_file")
PLAIN: Dict[str, Callable[[Invocation], str]] = {
    "": lambda invocation: json.dumps(invocation.executor_input(), sort_keys=True),
    ".outputs.output_file": lambda invocation: str(invocation.output_file),
    ".pipeline_root": lambda invocation: invocation.root,
    ".pipeline_job_name": lambda invocation: invocation.run_id,
    ".pipeline_job_uuid": lambda invocation: invocation.run_id,
    ".pipeline_task_name": lambda invocation: invocation.task,
    ".pipeline_task_uuid": lambda invocation: invocation.folder.name,
}


class AbsentInputError(Exception):
    """A placeholder asks for an input artifact that was left out."""


def resolve_text(text: str, invocation: Invocation) -> str:
    """Return `text` with its placeholders replaced. Raises AbsentInputError for an input left out."""
    return PLACEHOLDER.sub(lambda match: resolve(match.group(1), invocation), text)


def resolve(path: str, invocation: Invocation) -> str:
    if path in PLAIN:
        return PLAIN[path](invocation)
    found = INPUT_PARAMETER.fullmatch(path)
    if found:
        return format_value(invocation.parameters[found.group("key")])
    found = INPUT_ARTIFACT.fullmatch(path)
    if found:
        artifacts = invocation.artifacts.get(found.group("key"))
        if not artifacts:
            raise AbsentInputError(found.group("key"))
        return read_field(artifacts[0], found)
    found = OUTPUT_ARTIFACT.fullmatch(path)
    if found:
        return read_field(invocation.outputs[found.group("key")], found)
    found = OUTPUT_PARAMETER.fullmatch(path)
    if found:
        return str(invocation.parameter_file(found.group("key")))
    raise unknown_placeholder(path, invocation.task)


def read_field(artifact: Artifact, found: "re.Match[str]") -> str:
    field = found.group("field")
    if field == "uri":
        return artifact.uri
    if field == "name":
        return artifact.name
    if field == "value":
        return Path(artifact.uri).read_text(encoding="utf-8")
    if found.group("property") is None:
        return json.dumps(artifact.metadata, sort_keys=True)
    value = artifact.metadata.get(found.group("property"), "")
    return value if isinstance(value, str) else json.dumps(value)


def check_placeholders(task: Task) -> None:
    """Raise JobError for a placeholder that is unknown, or that names what the task does not have."""
    for text in texts_of(task):
        for path in PLACEHOLDER.findall(text):
            keys = known_keys(path, task)
            if keys is None:
                raise unknown_placeholder(path, task.name)
            key, known = keys
            if key not in known:
                raise JobError(
                    f"task {task.name}: the placeholder {{{{${path}}}}} names {key}, which the task "
                    f"does not have; it has: {', '.join(sorted(known)) or 'none'}.\n"
                    "Compile the job again: .venv/bin/inv compile"
                )


def known_keys(path: str, task: Task) -> Optional[Tuple[str, List[str]]]:
    """Return the key that a placeholder names and those that there are; None if it is unknown."""
    if path in PLAIN:
        return path, [path]
    for pattern, keys in (
        (INPUT_PARAMETER, list(task.parameters)),
        (INPUT_ARTIFACT, list(task.artifacts)),
        (OUTPUT_ARTIFACT, list(task.outputs)),
        (OUTPUT_PARAMETER, list(task.output_parameters)),
    ):
        found = pattern.fullmatch(path)
        if found:
            return found.group("key"), keys
    return None


def texts_of(task: Task) -> List[str]:
    if isinstance(task.executor, Container):
        return [*task.executor.command, *task.executor.driver, *task.executor.env.values()]
    if isinstance(task.executor, Resolver):
        return [query.filter for query in task.executor.queries.values()]
    return []


def unknown_placeholder(path: str, task: str) -> JobError:
    return JobError(
        f"task {task}: the placeholder {{{{${path}}}}} is not known to this runner.\n"
        "Expected {{$}}, {{$.inputs.parameters['x']}}, {{$.inputs.artifacts['x'].uri}} or such of outputs.\n"
        "Change the component, or run the job in a cloud environment."
    )
