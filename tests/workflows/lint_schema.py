"""GitHub's files against the schemas that check-jsonschema brings, each fault with its line."""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Sequence

import check_jsonschema
import jsonschema
import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from esteira.formats import shortened

SCHEMAS = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
LONGEST = 200
# The schema is older than these machines. https://docs.github.com/en/actions/reference/runners/github-hosted-runners
MACHINES = ("ubuntu-24.04", "ubuntu-24.04-arm", "ubuntu-slim")

# Nor does it know that runs may queue.
# https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
QUEUE = {"enum": ["single", "max"]}


def schema_faults(paths: Sequence[Path]) -> List[str]:
    """Return a line for each fault of each file."""
    return [fault for path in paths for fault in faults_of(path)]


def faults_of(path: Path) -> List[str]:
    text = path.read_text(encoding="utf-8")
    try:
        document, node = as_json(yaml.safe_load(text)), yaml.compose(text)
    except yaml.YAMLError as error:
        return [f"schema: {path}: {' '.join(str(error).split())}"]
    schema = dependabot_schema() if path.name.startswith("dependabot") else workflow_schema()
    errors = jsonschema.validators.validator_for(schema)(schema).iter_errors(document)
    found = {(line_of(node, error), shortened(error.message, LONGEST)) for error in map(deepest, errors)}
    return [f"schema: {path}:{line}: {message}" for line, message in sorted(found)]


def deepest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """Return the fault that tells most, of a value that fits none of several forms."""
    return jsonschema.exceptions.best_match([error])


def line_of(node: Node, error: jsonschema.ValidationError) -> int:
    """Return the line that the faulty value stands in, or the key that should not be there."""
    for key in error.absolute_path:
        node = child(node, key)
    unexpected = re.search(r"'([^']+)' was unexpected", error.message)
    if unexpected and isinstance(node, MappingNode):
        node = next((name for name, _ in node.value if name.value == unexpected[1]), node)
    line: int = node.start_mark.line
    return line + 1


def child(node: Node, key: Any) -> Node:
    if isinstance(node, SequenceNode):
        return node.value[key]
    return next((value for name, value in node.value if name.value == key), node)


def as_json(value: Any) -> Any:
    """Return what YAML 1.1 reads as JSON has it: the key `on` is a text there."""
    if isinstance(value, dict):
        return {"on" if key is True else str(key): as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def dependabot_schema() -> Dict[str, Any]:
    return read_schema("dependabot")


def workflow_schema() -> Dict[str, Any]:
    """Return the schema of workflows whose jobs have steps, as all of ours do: so it says what is wrong with them."""
    schema = read_schema("github-workflows")
    job = schema["definitions"]["normalJob"]
    machines = next(form for form in job["properties"]["runs-on"]["oneOf"] if "enum" in form)
    machines["enum"] += MACHINES
    schema["definitions"]["concurrency"]["properties"]["queue"] = QUEUE
    schema["properties"]["jobs"]["patternProperties"] = {".*": {"$ref": "#/definitions/normalJob"}}
    return schema


def read_schema(name: str) -> Dict[str, Any]:
    schema: Dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return schema
