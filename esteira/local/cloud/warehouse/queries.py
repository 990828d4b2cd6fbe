"""Queries of the stand-in of BigQuery: read, held against what is there, translated and run."""

from dataclasses import dataclass
from typing import Any, Dict, Optional

from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.warehouse.parameters import read_parameters
from esteira.local.cloud.warehouse.rows import Answer
from esteira.local.cloud.warehouse.statement import READS, Statement, read_statement, translated
from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.local.cloud.warehouse.values import Json

# Where a job runs that names no place, and reads nothing that lies elsewhere.
DEFAULT_LOCATION = "US"


@dataclass
class Queries:
    """Runs the statements of jobs."""

    warehouse: Warehouse

    def run(self, job: Json) -> Optional[Answer]:
        """Return the answer of a job's query, None if it was not to be run; the job's statistics tell of it."""
        configuration = job["configuration"]
        asked = configuration["query"]
        if asked.get("useLegacySql", True):
            raise Refused(501, "the stand-in runs no legacy SQL: useLegacySql is true unless it is given")
        statement = read_statement(asked["query"], self.warehouse.project)
        self.check_place(job, statement)
        scanned = str(self.scanned(statement))
        told = {"statementType": statement.kind, "totalBytesProcessed": scanned, "totalBytesBilled": scanned}
        job["statistics"].update(totalBytesProcessed=scanned, query={**told, "cacheHit": False})
        parameters = read_parameters(asked.get("queryParameters", []))
        if configuration.get("dryRun"):
            if statement.kind in READS:
                fields = self.warehouse.rows.fields(translated(statement), parameters)
                job["statistics"]["query"]["schema"] = {"fields": fields}
            return None
        answer = self.carry_out(statement, parameters)
        if answer.changed is not None:
            job["statistics"]["query"]["numDmlAffectedRows"] = str(answer.changed)
        return answer

    def check_place(self, job: Json, statement: Statement) -> None:
        """Refuse what is not there, or not where the job runs: where its data lies if it does not say."""
        asked = job["jobReference"]
        names = [*statement.tables, *([statement.target] if statement.target else [])]
        for name in names:
            dataset = self.warehouse.datasets.get(name.partition(".")[0])
            if asked["location"] == DEFAULT_LOCATION and dataset is not None:
                asked["location"] = dataset["location"]
            where = f"was not found in location {asked['location']}"
            if dataset is None or dataset["location"] != asked["location"]:
                place = f"{self.warehouse.project}:{name.partition('.')[0]}"
                raise Refused(404, f"Not found: Dataset {place} {where}", reason="notFound")
            if name in statement.tables and name not in self.warehouse.tables:
                raise Refused(404, f"Not found: Table {self.warehouse.project}:{name} {where}", reason="notFound")

    def carry_out(self, statement: Statement, parameters: Dict[str, Any]) -> Answer:
        rows = self.warehouse.rows
        if statement.kind in READS:
            return rows.run(translated(statement), parameters, is_read=True)
        self.warehouse.buffer.refuse(self.warehouse.project, statement, parameters)
        there = self.warehouse.tables.get(statement.target)
        if statement.kind == "CREATE_VIEW" and there and not (statement.replaces and there["type"] == "VIEW"):
            raise Refused(409, f"Already Exists: Table {self.warehouse.project}:{statement.target}", reason="duplicate")
        if statement.kind == "CREATE_VIEW":
            rows.make_dataset(statement.target.partition(".")[0])
        answer = rows.run(translated(statement), parameters, is_read=False)
        if statement.kind == "CREATE_VIEW":
            fields = rows.fields(f"SELECT * FROM {rows.place(statement.target)}", {})
            self.warehouse.put_view(statement.target, statement.view, fields)
        if statement.kind == "DROP_VIEW":
            self.warehouse.tables.pop(statement.target, None)
        return answer if statement.kind in ("INSERT", "UPDATE", "DELETE", "MERGE") else Answer([], [])

    def scanned(self, statement: Statement) -> int:
        """Return the bytes of the columns that a query names, in all tables that it reads, those of views too.

        Partitions are not looked at, so that BigQuery scans less where a query is bounded by one.
        """
        total = 0
        for name in statement.tables:
            table = self.warehouse.tables[name]
            if table["type"] == "VIEW":
                total += self.scanned(read_statement(table["view"]["query"], self.warehouse.project))
                continue
            every = {column["name"] for column in (table.get("schema") or {}).get("fields", [])}
            wanted = every if statement.columns is None else every & statement.columns
            total += self.warehouse.rows.size(name, wanted)
        return total
