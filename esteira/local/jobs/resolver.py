"""Resolvers: queries for artifacts that earlier runs left in the metadata store."""

from pathlib import Path
from typing import Dict, Iterator, List

from esteira.local.jobs.filters import Candidate, compile_filter
from esteira.local.jobs.invocation import Invocation
from esteira.local.jobs.placeholders import AbsentInputError, resolve_text
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import Query, Resolver, Task
from esteira.local.jobs.store import Store


def resolve_artifacts(
    store: Store, task: Task, resolver: Resolver, invocation: Invocation
) -> Dict[str, List[Artifact]]:
    """Return what each query of the task finds, latest first.

    A key whose query finds nothing, or asks for an input that was itself not found, is absent.
    Artifacts whose files were removed by hand are passed over.
    """
    found = {}
    for key, query in resolver.queries.items():
        try:
            text = resolve_text(query.filter, invocation)
        except AbsentInputError:
            continue
        artifacts = list(matching(store, text, query, describe(task, key)))
        if artifacts:
            found[key] = artifacts
    return found


def matching(store: Store, text: str, query: Query, what: str) -> Iterator[Artifact]:
    matches = compile_filter(text, what)
    left = query.limit
    for artifact, state, contexts in store.find_artifacts():
        fields = {
            "name": artifact.name,
            "uri": artifact.uri,
            "state": state,
            "schema_title": artifact.type,
        }
        candidate = Candidate(fields, artifact.metadata, frozenset(contexts))
        if matches(candidate) and Path(artifact.uri).exists():
            yield artifact
            left -= 1
            if not left:
                return


def check_queries(task: Task) -> None:
    """Raise JobError for a query that cannot be read."""
    if isinstance(task.executor, Resolver):
        for key, query in task.executor.queries.items():
            compile_filter(query.filter, describe(task, key))


def describe(task: Task, key: str) -> str:
    return f"task {task.name}: the filter of its output {key}"
