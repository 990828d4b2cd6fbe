"""The metadata store: contexts, executions, artifacts and events, in one SQLite file.

Every change is one transaction. A process that is killed leaves the state of the last one:
an execution is COMPLETE, and its outputs LIVE, together or not at all.
"""

import json
import os
import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Type

from esteira.errors import StateError
from esteira.local.jobs.content import measure_extent
from esteira.local.jobs.result import Artifact
from esteira.local.jobs.spec import ArtifactType, Scalar

VERSION = 1
SCHEMA = Path(__file__).with_name("metadata.sql")
PREFIX = "projects/local/locations/local/metadataStores/default"
LOCK_TIMEOUT_S = 60.0

Artifacts = Mapping[str, Sequence[Artifact]]


def context_name(context: str) -> str:
    return f"{PREFIX}/contexts/{context}"


def artifact_name(row_id: int) -> str:
    return f"{PREFIX}/artifacts/{row_id}"


def artifact_id(name: str) -> int:
    return int(name.rpartition("/")[2])


def read_only_uri(path: Path) -> str:
    """Return the URI that SQLite reads a store by; it can't make its own files beside one that nobody can write."""
    uri, log = path.absolute().as_uri(), path.with_name(f"{path.name}-wal")
    if os.access(path.parent, os.W_OK) and os.access(path, os.W_OK):
        # Only who may write removes SQLite's own files again.
        return f"{uri}?mode=rw"
    return f"{uri}?mode=ro" if log.exists() else f"{uri}?mode=ro&immutable=1"


class Store:
    """An open metadata store; a context manager. Each thread needs its own.

    One that is `read_only` must be there, and is left as it is, whoever else has it.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        try:
            if read_only:
                self._db = sqlite3.connect(read_only_uri(path), uri=True, isolation_level=None)
                self._db.execute("PRAGMA query_only = ON")
                (version,) = self._db.execute("PRAGMA user_version").fetchone()
                self._check_version(version)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(str(path), timeout=LOCK_TIMEOUT_S, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._migrate()
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._db.close()

    def _migrate(self) -> None:
        with self._transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in SCHEMA.read_text(encoding="utf-8").split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {VERSION}")
            else:
                self._check_version(version)

    def _check_version(self, version: int) -> None:
        if version != VERSION:
            raise StateError(
                f"{self.path}: holds metadata of version {version}; expected version {VERSION}.\n"
                "Use the Esteira that wrote it, or remove the state folder: make clean"
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._unusable(error) from error
            raise

    def _unusable(self, error: Exception) -> StateError:
        return StateError(
            f"{self.path}: cannot be used as metadata store: {error}.\n"
            "Expected a writable folder with free space, on a disk of this machine. "
            "Free some space, or set ESTEIRA_STATE to another folder."
        )

    def add_context(self, context: str, kind: str) -> None:
        with self._transaction():
            self._db.execute(
                "INSERT INTO contexts (name, kind, created_s) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
                (context_name(context), kind, time.time()),
            )

    def start_execution(self, run: str, task: str, root: str, parameters: Mapping[str, Scalar]) -> Tuple[int, Path]:
        """Add a RUNNING execution; return its id and its folder, `<root>/<run>/<task>_<id>`."""
        with self._transaction():
            cursor = self._db.execute(
                "INSERT INTO executions (run, task, state, folder, parameters, started_s) "
                "VALUES (?, ?, 'RUNNING', '', ?, ?)",
                (run, task, json.dumps(dict(parameters), sort_keys=True), time.time()),
            )
            row_id = int(cursor.lastrowid or 0)
            folder = Path(root) / run / f"{task}_{row_id}"
            self._db.execute("UPDATE executions SET folder = ? WHERE id = ?", (str(folder), row_id))
        return row_id, folder

    def add_output(self, execution: int, key: str, type_: ArtifactType, uri: str, metadata: Dict[str, Any]) -> Artifact:
        """Add a PENDING artifact as an output of a running execution."""
        with self._transaction():
            cursor = self._db.execute(
                "INSERT INTO artifacts (type, schema, uri, state, metadata, created_s) "
                "VALUES (?, ?, ?, 'PENDING', ?, ?)",
                (type_.title, json.dumps(type_.schema), uri, json.dumps(metadata), time.time()),
            )
            row_id = int(cursor.lastrowid or 0)
            self._add_event(execution, row_id, "OUTPUT", key, 0)
        return Artifact(artifact_name(row_id), type_.title, uri, metadata, type_.schema)

    def complete_execution(
        self,
        execution: int,
        inputs: Artifacts,
        outputs: Artifacts,
        *,
        contexts: Sequence[str],
        cache_key: str = "",
        output_parameters: Optional[Mapping[str, Scalar]] = None,
    ) -> None:
        """Make an execution COMPLETE and its outputs LIVE, in `contexts`."""
        with self._transaction():
            for output in [artifact for found in outputs.values() for artifact in found]:
                self._db.execute(
                    "UPDATE artifacts SET state = 'LIVE', uri = ?, metadata = ?, extent = ? WHERE id = ?",
                    (
                        output.uri,
                        json.dumps(output.metadata),
                        measure_extent(output.uri),
                        artifact_id(output.name),
                    ),
                )
            self._add_inputs(execution, inputs)
            self._attribute(contexts, outputs)
            self._finish(execution, "COMPLETE", cache_key, None, output_parameters or {})

    def reuse_execution(
        self, execution: int, source: int, inputs: Artifacts, outputs: Artifacts, *, contexts: Sequence[str]
    ) -> None:
        """Make an execution CACHED: its outputs are those of `source`, which is 0 for none."""
        with self._transaction():
            self._abandon(execution)
            self._db.execute("DELETE FROM events WHERE execution = ? AND direction = 'OUTPUT'", (execution,))
            for key, found in outputs.items():
                for position, output in enumerate(found):
                    self._add_event(execution, artifact_id(output.name), "OUTPUT", key, position)
            self._add_inputs(execution, inputs)
            self._attribute(contexts, outputs)
            self._finish(execution, "CACHED", "", source or None, {})

    def end_execution(self, execution: int, state: str) -> None:
        """Make a running execution FAILED or CANCELLED; its outputs are ABANDONED."""
        with self._transaction():
            self._abandon(execution)
            self._finish(execution, state, "", None, {})

    def cancel_left_over(self, run: str) -> List[str]:
        """Make what is RUNNING of a run that no process runs CANCELLED; return the folders it left."""
        with self._transaction():
            rows = self._db.execute(
                "SELECT id, folder FROM executions WHERE run = ? AND state = 'RUNNING'", (run,)
            ).fetchall()
            for row_id, _ in rows:
                self._abandon(row_id)
                self._finish(row_id, "CANCELLED", "", None, {})
        return [folder for _, folder in rows]

    def unfinished_runs(self) -> List[str]:
        rows = self._db.execute("SELECT DISTINCT run FROM executions WHERE state = 'RUNNING'").fetchall()
        return [run for (run,) in rows]

    def find_complete(self, cache_key: str) -> Iterator[Tuple[int, Dict[str, Scalar]]]:
        """Yield the id and the output parameters of complete executions with a cache key, latest first."""
        rows = self._db.execute(
            "SELECT id, output_parameters FROM executions WHERE cache_key = ? AND state = 'COMPLETE' ORDER BY id DESC",
            (cache_key,),
        ).fetchall()
        for row_id, parameters in rows:
            yield row_id, json.loads(parameters)

    def outputs_of(self, execution: int) -> Dict[str, List[Tuple[Artifact, str, str]]]:
        """Return the output artifacts of an execution by key, each with its state and extent."""
        rows = self._db.execute(
            "SELECT e.key, a.id, a.type, a.schema, a.uri, a.metadata, a.state, a.extent "
            "FROM events e JOIN artifacts a ON a.id = e.artifact "
            "WHERE e.execution = ? AND e.direction = 'OUTPUT' ORDER BY e.key, e.position",
            (execution,),
        ).fetchall()
        outputs: Dict[str, List[Tuple[Artifact, str, str]]] = {}
        for key, *artifact, state, extent in rows:
            outputs.setdefault(key, []).append((to_artifact(artifact), state, extent))
        return outputs

    def find_artifacts(self, type_: str = "", uri: str = "") -> Iterator[Tuple[Artifact, str, List[str]]]:
        """Yield artifacts, latest first, each with its state and the names of its contexts."""
        rows = self._db.execute(
            "SELECT id, type, schema, uri, metadata, state, "
            "(SELECT group_concat(c.name, char(10)) FROM attributions t JOIN contexts c ON c.id = t.context "
            "WHERE t.artifact = artifacts.id) FROM artifacts "
            "WHERE (? = '' OR type = ?) AND (? = '' OR uri = ?) ORDER BY id DESC",
            (type_, type_, uri, uri),
        )
        for *artifact, state, contexts in rows:
            yield to_artifact(artifact), state, (contexts or "").splitlines()

    def execution_folders(self) -> List[Tuple[str, str]]:
        """Return the run and the folder of every execution there ever was."""
        return list(self._db.execute("SELECT run, folder FROM executions ORDER BY id"))

    def artifacts_by_run(self) -> Iterator[Tuple[str, Artifact]]:
        """Yield each artifact with each run that read it, put it out or took it from the cache."""
        rows = self._db.execute(
            "SELECT DISTINCT x.run, a.id, a.type, a.schema, a.uri, a.metadata FROM executions x "
            "JOIN events e ON e.execution = x.id JOIN artifacts a ON a.id = e.artifact"
        )
        for run, *artifact in rows:
            yield run, to_artifact(artifact)

    def mark_deleted(self, places: Iterable[str]) -> None:
        """Make the LIVE artifacts at or below `places` DELETED, so that no cache and no resolver offers them."""
        with self._transaction():
            for place in places:
                self._db.execute(
                    "UPDATE artifacts SET state = 'DELETED' "
                    "WHERE state = 'LIVE' AND (uri = ? OR substr(uri, 1, ?) = ?)",
                    (place, len(place) + 1, f"{place}/"),
                )

    def find_driver_answer(self, cache_key: str) -> Optional[Dict[str, Any]]:
        row = self._db.execute("SELECT answer FROM drivers WHERE cache_key = ?", (cache_key,)).fetchone()
        return json.loads(row[0]) if row else None

    def keep_driver_answer(self, cache_key: str, answer: Mapping[str, Any]) -> None:
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO drivers VALUES (?, ?)", (cache_key, json.dumps(answer)))

    def executions_of(self, run: str) -> List[Tuple[str, str]]:
        """Return the tasks of a run that were executed, each with its state, in the order of their start."""
        rows = self._db.execute("SELECT task, state FROM executions WHERE run = ? ORDER BY id", (run,)).fetchall()
        return [(task, state) for task, state in rows]

    def _add_event(self, execution: int, artifact: int, direction: str, key: str, position: int) -> None:
        self._db.execute(
            "INSERT INTO events (execution, artifact, direction, key, position) VALUES (?, ?, ?, ?, ?)",
            (execution, artifact, direction, key, position),
        )

    def _add_inputs(self, execution: int, inputs: Artifacts) -> None:
        for key, found in inputs.items():
            for position, artifact in enumerate(found):
                self._add_event(execution, artifact_id(artifact.name), "INPUT", key, position)

    def _attribute(self, contexts: Sequence[str], outputs: Artifacts) -> None:
        for output in [artifact for found in outputs.values() for artifact in found]:
            for context in contexts:
                self._db.execute(
                    "INSERT OR IGNORE INTO attributions (context, artifact) SELECT id, ? FROM contexts WHERE name = ?",
                    (artifact_id(output.name), context_name(context)),
                )

    def _abandon(self, execution: int) -> None:
        self._db.execute(
            "UPDATE artifacts SET state = 'ABANDONED' WHERE state = 'PENDING' AND id IN "
            "(SELECT artifact FROM events WHERE execution = ? AND direction = 'OUTPUT')",
            (execution,),
        )

    def _finish(
        self,
        execution: int,
        state: str,
        cache_key: str,
        source: Optional[int],
        parameters: Mapping[str, Scalar],
    ) -> None:
        self._db.execute(
            "UPDATE executions SET state = ?, cache_key = ?, cached_from = ?, output_parameters = ?, "
            "finished_s = ? WHERE id = ?",
            (state, cache_key, source, json.dumps(dict(parameters), sort_keys=True), time.time(), execution),
        )


def to_artifact(row: Sequence[Any]) -> Artifact:
    row_id, type_, schema, uri, metadata = row
    return Artifact(artifact_name(row_id), type_, uri, json.loads(metadata), json.loads(schema))
