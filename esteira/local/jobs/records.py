"""Reading the metadata store for lineages: as it is, without a lock and without making one."""

import json
import sqlite3
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from esteira.errors import StateError
from esteira.local.jobs.store import VERSION, artifact_name, read_only_uri
from esteira.release.lineage.records import (
    MODEL,
    PUSHED_DESTINATION,
    PUSHED_MODEL,
    ArtifactRecord,
    TaskRecord,
    artifacts_in,
    lies_at,
    places_given,
)

EXECUTIONS = (
    "SELECT x.id, x.cached_from, x.run, x.task, x.state, COALESCE(source.run, ''), x.parameters, "
    "x.started_s, x.finished_s FROM executions x LEFT JOIN executions source ON source.id = x.cached_from "
)
# What put an artifact out first has made it; a task that takes it from the cache puts it out again. In a
# table of this connection, as no index of the store leads from an artifact to its events.
MAKERS = (
    "CREATE TEMP TABLE makers (artifact INTEGER PRIMARY KEY, execution INTEGER NOT NULL)",
    "INSERT INTO makers SELECT artifact, min(execution) FROM events WHERE direction = 'OUTPUT' GROUP BY artifact",
)


class SqliteRecords:
    """The metadata store at `path`, read only. Raises StateError if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._db = sqlite3.connect(read_only_uri(path), uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise self._unreadable(error) from error
        ((version,),) = self._ask("PRAGMA user_version")
        if version != VERSION:
            raise StateError(
                f"{path}: holds metadata of version {version}; expected version {VERSION}.\n"
                "Use the Esteira that wrote it, or remove the state folder: make clean"
            )
        for statement in (*MAKERS, "PRAGMA query_only = ON"):
            self._ask(statement)

    def tasks_of(self, run: str) -> List[TaskRecord]:
        rows = {row[0]: row for row in self._ask(f"{EXECUTIONS} WHERE x.run = ? ORDER BY x.id", run)}
        last: Dict[str, Tuple[Any, ...]] = {}
        for row in rows.values():
            # A run that was taken up again finds what it had done in the cache.
            last[row[3]] = rows.get(row[1], row)
        return [self._task(row) for row in sorted(last.values())]

    def runs_of(self, release: str) -> List[str]:
        rows = self._ask("SELECT run FROM executions GROUP BY run ORDER BY max(id) DESC")
        return [run for (run,) in rows if run.startswith(f"{release}-")]

    def runs_with_model(self, uri: str) -> List[str]:
        runs = [
            run
            for artifact, place, metadata in self._ask(
                "SELECT id, uri, metadata FROM artifacts "
                "WHERE type IN (?, ?) AND state IN ('LIVE', 'DELETED') ORDER BY id",
                MODEL,
                PUSHED_MODEL,
            )
            if uri in (place, json.loads(metadata).get(PUSHED_DESTINATION))
            for run in self._runs_with_output(artifact)
        ]
        return list(dict.fromkeys(runs))

    def readers_of(self, uri: str) -> List[TaskRecord]:
        rows = self._ask(
            f"{EXECUTIONS} WHERE instr(x.parameters, ?) OR x.id IN (SELECT e.execution FROM events e "
            "JOIN artifacts a ON a.id = e.artifact WHERE substr(a.uri, 1, ?) = ?) ORDER BY x.id",
            json.dumps(uri)[1:-1],
            len(uri),
            uri,
        )
        tasks = [self._task(row) for row in rows]
        return [task for task in tasks if any(lies_at(place, uri) for place in all_places(task))]

    def _runs_with_output(self, artifact: int) -> List[str]:
        """Return the runs whose task made an artifact or took it from the cache; a resolver only finds it."""
        rows = self._ask(
            "SELECT x.run FROM events e JOIN executions x ON x.id = e.execution "
            "WHERE e.artifact = ? AND e.direction = 'OUTPUT' "
            "AND (x.state = 'COMPLETE' OR x.cached_from IS NOT NULL) GROUP BY x.run ORDER BY min(x.id)",
            artifact,
        )
        return [run for (run,) in rows]

    def _task(self, row: Sequence[Any]) -> TaskRecord:
        row_id, _, run, task, state, cached_from, parameters, started_s, finished_s = row
        inputs: Dict[str, Tuple[ArtifactRecord, ...]] = {}
        outputs: Dict[str, Tuple[ArtifactRecord, ...]] = {}
        for direction, key, artifact in self._events(row_id):
            into = inputs if direction == "INPUT" else outputs
            into[key] = (*into.get(key, ()), artifact)
        values = json.loads(parameters)
        return TaskRecord(run, task, state, cached_from, values, started_s, finished_s, inputs, outputs)

    def _events(self, execution: int) -> List[Tuple[str, str, ArtifactRecord]]:
        rows = self._ask(
            "SELECT e.direction, e.key, a.id, a.type, a.uri, a.state, a.metadata, maker.run, maker.task "
            "FROM events e JOIN artifacts a ON a.id = e.artifact JOIN makers m ON m.artifact = a.id "
            "JOIN executions maker ON maker.id = m.execution "
            "WHERE e.execution = ? ORDER BY e.direction, e.key, e.position",
            execution,
        )
        return [
            (way, key, ArtifactRecord(artifact_name(row_id), type_, uri, state, json.loads(metadata), run, task))
            for way, key, row_id, type_, uri, state, metadata, run, task in rows
        ]

    def _ask(self, query: str, *values: Any) -> List[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> StateError:
        return StateError(
            f"{self._path}: cannot be read as metadata store: {error}.\n"
            "Expected what runs wrote. Mend its permissions, or remove the state folder: make clean"
        )


def all_places(task: TaskRecord) -> List[str]:
    return places_given(task) + [artifact.uri for _, artifact in artifacts_in(task.inputs)]
