"""Importers: artifacts that lie there already get a name in the metadata store."""

from pathlib import Path
from typing import Dict, List, Tuple

from esteira.errors import JobError
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import Constant, Importer, Scalar, Task
from esteira.local.jobs.store import Store


def resolve_uri(task: Task, importer: Importer, parameters: Dict[str, Scalar]) -> str:
    """Return the URI to import. Raises JobError if nothing lies there."""
    uri = str(importer.uri.value if isinstance(importer.uri, Constant) else parameters[importer.uri.name])
    if not Path(uri).exists():
        raise JobError(
            f"task {task.name}: imports {uri or 'an empty URI'}, and nothing lies there.\n"
            f"Expected a folder or file that holds a {importer.type.title}. "
            "Lay it down (.venv/bin/inv sync) or change the URI."
        )
    return uri


def import_artifact(
    store: Store, execution: int, task: Task, importer: Importer, uri: str
) -> Tuple[Dict[str, List[Artifact]], bool]:
    """Return the imported artifact under the task's output key, and whether it was in the store before.

    Unless the importer wants it imported anew each time, an artifact of the same type,
    place and properties is taken.
    """
    ((key, output),) = task.outputs.items()
    metadata = {**output.metadata, **importer.metadata}
    if not importer.reimport:
        for artifact, state, _ in store.find_artifacts(importer.type.title, uri):
            if state == "LIVE" and artifact.metadata == metadata and artifact.schema == importer.type.schema:
                return {key: [artifact]}, True
    return {key: [store.add_output(execution, key, importer.type, uri, metadata)]}, False
