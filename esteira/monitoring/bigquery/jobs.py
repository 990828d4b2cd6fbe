"""Jobs of BigQuery: started once each, though an answer be lost, and awaited to their end.

Each has an id of our own, under which a second start of it is refused.
https://cloud.google.com/bigquery/docs/running-jobs#generate-jobid
"""

import json
import secrets
import time
from functools import partial
from typing import List, Optional, Tuple

from esteira.errors import WarehouseError
from esteira.google.addresses import upload_url
from esteira.google.api import Api, Json
from esteira.google.operations import pauses
from esteira.google.refusals import ExistsError, NotFoundError, RefusedError

SERVICE = "bigquery"
DONE = "DONE"
# How long one request waits for a query, and all of them for a job.
ASK_MS = 10_000
JOB_S = 3600.0
PAGE_ROWS = 10_000
# Times as whole microseconds: by default they come as rounded floats.
FORM = {"formatOptions.useInt64Timestamp": True}
SHOWN_ERRORS = 5
# What a job's reasons are as answers. https://cloud.google.com/bigquery/docs/error-messages
STATUS = {"notFound": 404, "accessDenied": 403}


class Jobs:
    """The jobs of the project of `api`, in a region. Refusals are RefusedError, a job's own failure too."""

    def __init__(self, api: Api, region: str) -> None:
        self._api = api
        self._region = region
        self._path = f"projects/{api.project}/jobs"

    def start(self, what: str, configuration: Json) -> Json:
        """Start a job and return it."""
        body = self._body(configuration)
        find = partial(self._find, what, body["jobReference"]["jobId"])
        try:
            return self._checked(what, self._api.call(what, SERVICE, "POST", self._path, body=body, find=find))
        except ExistsError:
            return self.get(what, body)

    def start_load(self, what: str, configuration: Json, content: bytes) -> Json:
        """Start a job that loads `content`, which goes with it, and return it.

        https://cloud.google.com/bigquery/docs/reference/api-uploads#multipart
        """
        body = self._body(configuration)
        boundary = secrets.token_hex(16)
        head = (
            f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(body)}\r\n"
            f"--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
        )
        data = b"".join((head.encode("ascii"), content, f"\r\n--{boundary}--\r\n".encode("ascii")))
        send = partial(
            self._api.request,
            SERVICE,
            "POST",
            "",
            url=upload_url(self._api.base(SERVICE)) + self._path,
            query={"uploadType": "multipart"},
            data=data,
            headers={"Content-Type": f"multipart/related; boundary={boundary}"},
        )
        try:
            return self._checked(what, self._api.read(what, self._api.repeated(what, send, harmless=True)))
        except ExistsError:
            return self.get(what, body)

    def dry_run(self, what: str, configuration: Json) -> Json:
        """Return the job that BigQuery would run, with its statistics."""
        body = {
            "configuration": {**configuration, "dryRun": True},
            "jobReference": {"projectId": self._api.project, "location": self._region},
        }
        return self._checked(what, self._api.call(what, SERVICE, "POST", self._path, body=body, repeat=True))

    def get(self, what: str, job: Json) -> Json:
        """Return a job as it stands now."""
        path = f"{self._path}/{job['jobReference']['jobId']}"
        query = {"location": self._region}
        return self._checked(what, self._api.call(what, SERVICE, "GET", path, query=query))

    def wait(self, what: str, job: Json) -> Json:
        """Return a job once it is done. Raises WarehouseError if that takes longer than JOB_S."""
        limit_s = time.monotonic() + JOB_S
        for pause_s in pauses(10, first_s=0.25):
            if job["status"]["state"] == DONE:
                break
            self._refuse_late(what, job, limit_s)
            time.sleep(pause_s)
            job = self.get(what, job)
        return job

    def results(self, what: str, job: Json) -> Tuple[List[Json], List[Json]]:
        """Return the columns and all rows of a query's job once it is done. Raises WarehouseError as `wait` does."""
        reference, limit_s = job["jobReference"], time.monotonic() + JOB_S
        path = f"projects/{self._api.project}/queries/{reference['jobId']}"
        query: Json = {"location": reference.get("location", self._region), "maxResults": PAGE_ROWS, **FORM}
        rows: List[Json] = []
        fields: List[Json] = []
        token = ""
        while True:
            page: Json = {"pageToken": token} if token else {"timeoutMs": ASK_MS}
            answer = self._api.call(what, SERVICE, "GET", path, query={**query, **page})
            if not answer.get("jobComplete"):
                self._refuse_late(what, job, limit_s)
                continue
            fields = (answer.get("schema") or {}).get("fields", fields)
            rows += answer.get("rows", [])
            token = answer.get("pageToken", "")
            if not token:
                return fields, rows

    def _body(self, configuration: Json) -> Json:
        reference = {
            "projectId": self._api.project,
            "jobId": f"esteira-{secrets.token_hex(16)}",
            "location": self._region,
        }
        return {"jobReference": reference, "configuration": configuration}

    def _find(self, what: str, job_id: str) -> Optional[Json]:
        try:
            return self.get(what, {"jobReference": {"jobId": job_id}})
        except NotFoundError:
            return None

    def _checked(self, what: str, job: Json) -> Json:
        """Return a job; RefusedError with what BigQuery says if it has failed."""
        status = job.get("status") or {}
        failure = status.get("errorResult")
        if failure:
            said, reason = told_failure(failure, status.get("errors") or []), str(failure.get("reason", ""))
            raise RefusedError(f"BigQuery: cannot {what}: {said}", STATUS.get(reason, 400), reason, said=said)
        return job

    def _refuse_late(self, what: str, job: Json, limit_s: float) -> None:
        if time.monotonic() > limit_s:
            name = job["jobReference"]["jobId"]
            show = f"bq --location={self._region} show --job {self._api.project}:{name}"
            raise WarehouseError(
                f"BigQuery: cannot {what}: the job {name} takes longer than {JOB_S:g} s.\nSee how it stands: {show}"
            )


def told_failure(failure: Json, errors: List[Json]) -> str:
    """Return what a failed job says: its error, and the first of those that it ended for, each with its place."""
    lines = [told_error(failure)]
    lines += [line for line in map(told_error, errors) if line not in lines]
    more = len(lines) - SHOWN_ERRORS
    return "\n".join([*lines[:SHOWN_ERRORS], *([f"and {more:,} more"] if more > 0 else [])])


def told_error(error: Json) -> str:
    message, location = str(error.get("message", "no reason given")), str(error.get("location", ""))
    return f"{location}: {message}" if location and location not in ("query", "q") else message
