"""The jobs of the stand-in of BigQuery: queries and loads, done at once, and asked for afterwards.

https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs
"""

import copy
import secrets
import time
from dataclasses import dataclass, field
from typing import Dict

from esteira.local.cloud.discovery import discovery
from esteira.local.cloud.refusal import OLD_REASONS, Refused
from esteira.local.cloud.server import Call, Handler, Raw, as_raw, check_answer
from esteira.local.cloud.warehouse.loads import load, read_upload, row_errors
from esteira.local.cloud.warehouse.pages import page_of, wants_exact
from esteira.local.cloud.warehouse.queries import DEFAULT_LOCATION, Queries
from esteira.local.cloud.warehouse.rows import Answer, RowError
from esteira.local.cloud.warehouse.tables import Warehouse
from esteira.local.cloud.warehouse.values import Json, wire_row

UPLOADS = "upload/bigquery/v2/"


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
        """Take a job and what it loads in one body."""
        body, content = read_upload(call)
        api = discovery("bigquery")
        (method,) = [method for method in api.methods if method.id == call.method]
        wrong = api.request_faults(method, body)
        if wrong:
            raise Refused(400, "\n".join(wrong))
        made = self.insert(body, content)
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
        if job["configuration"]["jobType"] == "LOAD":
            load(self.warehouse, job, content)
            return
        answer = Queries(self.warehouse).run(job)
        if answer is not None:
            self.answers[job["jobReference"]["jobId"]] = answer

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


def fail(job: Json, *errors: Json) -> None:
    job["status"].update(errorResult=errors[0], errors=list(errors))


def error_of(refusal: Refused) -> Json:
    return {"reason": refusal.reason or OLD_REASONS.get(refusal.status, "backendError"), "message": refusal.message}
