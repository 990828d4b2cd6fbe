"""The cache: a task is not run again if the same command had the same inputs before.

As on Vertex AI, tasks of one pipeline share it. The key holds the component and executor as
they stand in the job (the image is part of them), the parameters and the input artifacts. An
artifact that a task put out counts by its resource name, which a cached task hands on; an
imported one by type, URI and properties, since URIs are named by content.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from esteira.local.jobs.content import digest_content, measure_extent
from esteira.local.jobs.invocation import Invocation
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import Container, Scalar, Task
from esteira.local.jobs.store import Store

VERSION = 1
INPUT_BASE = "input_base"
# Where TFX's Pusher says it has put the model, which lies outside of its artifact's own folder.
PUSHED_DESTINATION = "pushed_destination"

Hit = Tuple[int, Dict[str, List[Artifact]], Dict[str, Scalar]]


def build_key(task: Task, invocation: Invocation, identities: Mapping[str, str]) -> str:
    """Return the cache key of a container task.

    `identities` maps the names of artifacts that were imported to what they count by.
    """
    assert isinstance(task.executor, Container)
    inputs = {
        key: [identities.get(artifact.name, artifact.name) for artifact in artifacts]
        for key, artifacts in invocation.artifacts.items()
    }
    return digest(
        {
            "version": VERSION,
            "pipeline": invocation.pipeline,
            "component": task.component,
            "command": executor_identity(task.executor),
            "parameters": invocation.parameters,
            "inputs": inputs,
        }
    )


def build_driver_key(task: Task, invocation: Invocation) -> str:
    """Return the cache key of a file-based ExampleGen's driver, "" if its input cannot be read here.

    The driver's own fingerprint is made of time stamps; here the input's content counts.
    """
    assert isinstance(task.executor, Container)
    content = digest_content(str(invocation.parameters.get(INPUT_BASE, "")))
    if not content:
        return ""
    return digest(
        {
            "version": VERSION,
            "pipeline": invocation.pipeline,
            "driver": executor_identity(task.executor),
            "parameters": invocation.parameters,
            "content": content,
        }
    )


def executor_identity(container: Container) -> Dict[str, Any]:
    return {
        "image": container.image,
        "command": container.command,
        "env": container.env,
        "driver": container.driver,
    }


def import_identity(artifact: Artifact) -> str:
    """Return what an imported artifact counts by."""
    return digest({"type": artifact.schema, "uri": artifact.uri, "metadata": artifact.metadata})


def find_cached(store: Store, cache_key: str) -> Optional[Hit]:
    """Return the latest complete execution with this key whose outputs still lie there, in full size."""
    for execution, parameters in store.find_complete(cache_key):
        outputs = store.outputs_of(execution)
        if all(is_whole(output) for found in outputs.values() for output in found):
            return execution, {key: [a for a, _, _ in found] for key, found in outputs.items()}, parameters
    return None


def is_whole(output: Sequence[Any]) -> bool:
    artifact, state, extent = output
    pushed = artifact.metadata.get(PUSHED_DESTINATION)
    if pushed and not Path(str(pushed)).is_dir():
        return False
    return state == "LIVE" and bool(extent) and measure_extent(artifact.uri) == extent


def digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode("utf-8")).hexdigest()
