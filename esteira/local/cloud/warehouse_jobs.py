"""The jobs of the stand-in of BigQuery: queries and loads, done at once, and asked for afterwards.

https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs
"""

import copy
import json
import secrets
import time
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any, Dict, List, Optional, Tuple

from esteira.local.cloud.discovery import discovery
from esteira.local.cloud.refusal import OLD_REASONS, Refused
from esteira.local.cloud.server import Call, Handler, Raw, as_raw, check_answer
from esteira.local.cloud.warehouse import Warehouse
from esteira.local.cloud.warehouse_rows import Answer, RowError
from esteira.local.cloud.warehouse_statement import READS, Statement, read_statement, translated
from esteira.local.cloud.warehouse_values import Json, read_value, wire_row

UPLOADS = "upload/bigquery/v2/"
READING = "Error while reading data, error message: "
# Where a job runs that names no place, and reads nothing that lies elsewhere.
DEFAULT_LOCATION = "US"


@dataclass
class Jobs:
    """The jobs by their ids; `looks` is how often a query must be asked for until it is complete."""

    warehouse: Warehouse
    looks: int = 0
    known: Dict[str, Json] = field(default_factory=dict)
    answers: Dict[str, Answer] = field(default_factory=dict)
    _looked: Dict[str, int] = field(default_factory=dict)

    def handlers(self) -> Dict[str, Handler]:
        return {
            "bigquery.jobs.insert": lambda call: self.insert(call.body or {}, b""),
            "bigquery.jobs.query": self.query,
            "bigquery.jobs.get": self.get,
            "bigquery.jobs.getQueryResults": self.results,
        }

    def paths(self) -> Dict[str, Handler]:
        """Return what answers where contents come with a job."""
        return {UPLOADS: self.upload}

    def upload(self, call: Call) -> Raw:
        """Take a job and what it loads in one body. https://cloud.google.com/bigquery/docs/reference/api-uploads"""
        if call.parameters.get("uploadType") != "multipart":
            raise Refused(501, "the stand-in takes loads by uploadType=multipart")
        head = f"Content-Type: {call.headers.get('Content-Type', '')}\r\n\r\n".encode("ascii")
        parts: Any = BytesParser().parsebytes(head + call.content).get_payload()
        if not isinstance(parts, list) or len(parts) != 2:
            raise Refused(400, "Expected a job and its content in a multipart/related body.")
        body = json.loads(bytes(parts[0].get_payload(decode=True)))
        api = discovery("bigquery")
        (method,) = [method for method in api.methods if method.id == call.method]
        wrong = api.request_faults(method, body)
        if wrong:
            raise Refused(400, "\n".join(wrong))
        made = self.insert(body, bytes(parts[1].get_payload(decode=True)))
        check_answer(api, method, made)
        return as_raw(200, made)

    def insert(self, body: Json, content: bytes) -> Json:
        """Run a job and return it as done; what its statement or content has wrong stands in its status."""
        configuration, reference = body.get("configuration", {}), dict(body.get("jobReference", {}))
        reference.setdefault("jobId", f"job_{secrets.token_hex(12)}")
        with self.warehouse.lock:
            if reference["jobId"] in self.known:
                raise Refused(409, f"Already Exists: Job {self.warehouse.project}:{self.named(reference)}")
            job = self.begun(configuration, reference)
            try:
                self.run(job, content)
            except RowError as error:
                fail(job, *row_errors(error))
            except Refused as refusal:
                if configuration.get("dryRun"):
                    raise
                fail(job, error_of(refusal))
            if not configuration.get("dryRun"):
                self.known[reference["jobId"]] = job
            return copy.deepcopy(job)

    def begun(self, configuration: Json, reference: Json) -> Json:
        location = reference.get("location", "")
        at = str(int(time.time() * 1000))
        reference = {**reference, "projectId": self.warehouse.project, "location": location or DEFAULT_LOCATION}
        return {
            "kind": "bigquery#job",
            "id": f"{self.warehouse.project}:{self.named(reference)}",
            "jobReference": reference,
            "configuration": {**copy.deepcopy(configuration), "jobType": kind_of_job(configuration)},
            "status": {"state": "DONE"},
            "statistics": {"creationTime": at, "startTime": at, "endTime": at},
        }

    def named(self, reference: Json) -> str:
        return f"{reference.get('location') or DEFAULT_LOCATION}.{reference['jobId']}"

    def run(self, job: Json, content: bytes) -> None:
        configuration = job["configuration"]
        if configuration["jobType"] == "LOAD":
            self.load(job, configuration["load"], content)
            return
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
            return
        answer = self.carry_out(statement, parameters)
        if answer.changed is not None:
            job["statistics"]["query"]["numDmlAffectedRows"] = str(answer.changed)
        self.answers[job["jobReference"]["jobId"]] = answer

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

    def load(self, job: Json, asked: Json, content: bytes) -> None:
        """Append lines of JSON to a table, all or none."""
        if asked.get("sourceFormat") != "NEWLINE_DELIMITED_JSON":
            raise Refused(501, f"the stand-in loads NEWLINE_DELIMITED_JSON, not {asked.get('sourceFormat')}")
        if asked.get("writeDisposition", "WRITE_APPEND") != "WRITE_APPEND":
            raise Refused(501, "the stand-in appends what it loads: writeDisposition")
        target = asked["destinationTable"]
        name = f"{target['datasetId']}.{target['tableId']}"
        if name not in self.warehouse.tables:
            raise Refused(404, f"Not found: Table {self.warehouse.project}:{name}", reason="notFound")
        rows = []
        for number, line in enumerate(filter(None, content.decode("utf-8").split("\n"))):
            try:
                rows.append(json.loads(line))
            except ValueError:
                raise RowError(number, f"Parser terminated before end of string: {line[:60]}", "") from None
        self.warehouse.rows.append(name, rows)
        job["statistics"]["load"] = {"outputRows": str(len(rows)), "badRecords": "0"}

    def find(self, call: Call) -> Json:
        job = self.known.get(call.parameters["jobId"])
        location = call.parameters.get("location", DEFAULT_LOCATION)
        if job is None or job["jobReference"]["location"].lower() != location.lower():
            raise Refused(404, f"Not found: Job {self.warehouse.project}:{call.parameters['jobId']}")
        return job

    def get(self, call: Call) -> Json:
        return copy.deepcopy(self.find(call))

    def query(self, call: Call) -> Json:
        """Run a query and answer its first page, or its error."""
        body = call.body
        inner = ("query", "useLegacySql", "queryParameters", "parameterMode", "defaultDataset")
        configuration: Json = {"query": {key: body[key] for key in inner if key in body}}
        if body.get("dryRun"):
            configuration["dryRun"] = True
        job = self.insert({"configuration": configuration, "jobReference": place_of(body)}, b"")
        if body.get("dryRun"):
            told = job["statistics"]["query"]
            schema = {"schema": told["schema"]} if "schema" in told else {}
            return {"jobComplete": True, "totalBytesProcessed": told["totalBytesProcessed"], **schema}
        exact = bool((body.get("formatOptions") or {}).get("useInt64Timestamp"))
        return self.page(job, {"maxResults": str(body.get("maxResults", ""))}, exact)

    def results(self, call: Call) -> Json:
        """Answer a page of a query's rows; that it is not complete for the first `looks` times."""
        job = self.find(call)
        identity = job["jobReference"]["jobId"]
        self._looked[identity] = self._looked.get(identity, 0) + 1
        if self._looked[identity] <= self.looks:
            return {"jobComplete": False, "jobReference": job["jobReference"]}
        return self.page(job, call.parameters, wants_exact(call.parameters))

    def page(self, job: Json, asked: Dict[str, str], exact: bool) -> Json:
        failure = job["status"].get("errorResult")
        if failure:
            status = {reason: number for number, reason in OLD_REASONS.items()}.get(failure["reason"], 400)
            raise Refused(status, failure["message"], reason=failure["reason"])
        answer = self.answers[job["jobReference"]["jobId"]]
        start, end, token = page_of(len(answer.rows), asked)
        told: Json = {"jobComplete": True, "jobReference": job["jobReference"], "totalRows": str(len(answer.rows))}
        told.update(totalBytesProcessed=job["statistics"]["totalBytesProcessed"], cacheHit=False)
        if answer.changed is not None:
            told["numDmlAffectedRows"] = str(answer.changed)
        if answer.fields:
            told["schema"] = {"fields": answer.fields}
            told["rows"] = [wire_row(answer.fields, row, exact) for row in answer.rows[start:end]]
        return {**told, **({"pageToken": token} if token else {})}


def kind_of_job(configuration: Json) -> str:
    found = [kind for kind in ("query", "load") if kind in configuration]
    if len(found) != 1:
        raise Refused(501, f"the stand-in runs queries and loads, not {', '.join(configuration) or 'nothing'}")
    return found[0].upper()


def place_of(body: Json) -> Json:
    return {"location": body["location"]} if body.get("location") else {}


def wants_exact(asked: Dict[str, str]) -> bool:
    """Return whether times are to be whole microseconds."""
    return asked.get("formatOptions.useInt64Timestamp", "").lower() == "true"


def page_of(count: int, asked: Dict[str, str]) -> Tuple[int, int, str]:
    """Return the first row of a page, the first after it, and the token of the next page, "" if it is the last."""
    start = int(asked.get("pageToken") or asked.get("startIndex") or 0)
    limit: Optional[int] = int(asked["maxResults"]) if asked.get("maxResults") else None
    end = count if limit is None else min(count, start + limit)
    return start, end, str(end) if end < count and limit != 0 else ""


def read_parameters(given: List[Json]) -> Dict[str, Any]:
    """Return a query's named parameters as DuckDB takes them."""
    found: Dict[str, Any] = {}
    for entry in given:
        if not entry.get("name"):
            raise Refused(501, "the stand-in takes named parameters alone")
        kind, value = entry["parameterType"], entry.get("parameterValue", {})
        is_list = kind["type"] == "ARRAY"
        column = {"name": entry["name"], "type": kind["arrayType"]["type"] if is_list else kind["type"]}
        try:
            if is_list:
                values = [each.get("value") for each in value.get("arrayValues", [])]
                found[entry["name"]] = read_value({**column, "mode": "REPEATED"}, values)
            else:
                found[entry["name"]] = read_value(column, value.get("value"))
        except ValueError as error:
            raise Refused(400, f"Invalid value for parameter {entry['name']}: {error}", reason="invalid") from None
    return found


def fail(job: Json, *errors: Json) -> None:
    job["status"].update(errorResult=errors[0], errors=list(errors))


def error_of(refusal: Refused) -> Json:
    return {"reason": refusal.reason or OLD_REASONS.get(refusal.status, "backendError"), "message": refusal.message}


def row_errors(error: RowError) -> List[Json]:
    """Return what a load tells of the first row that it cannot read."""
    first = f"{READING}JSON table encountered too many errors, giving up. Rows: {error.number + 1}; errors: 1. "
    said = f"{READING}JSON processing encountered an error at row {error.number + 1}: {error}"
    more = "Please look into the errors[] collection for more details."
    return [{"reason": "invalid", "message": first + more}, {"reason": "invalid", "message": said}]
