"""What is told to whom BigQuery refuses: which role is missing, on what, and who types what.

https://cloud.google.com/bigquery/docs/access-control
"""

import re
from typing import Tuple

from esteira.cloud.grant import Grant, Scope, give_command
from esteira.errors import GoogleError
from esteira.google.refusals import RefusedError, for_whom
from esteira.settings import Settings

# BigQuery's reason, and that of other APIs.
REASONS = ("accessDenied", "IAM_PERMISSION_DENIED")
START_JOBS = "bigquery.jobs.create"
READ = ("SELECT", "WITH")
# As in: Access Denied: Table my-project:a_dataset.a_table: User does not have permission to query table …
NAMED = re.compile(r"(?:Dataset|Table) [a-z0-9.:-]+:(\w+)\b")
PERSON = "user:NAME@EXAMPLE.COM"


def is_denied(error: RefusedError) -> bool:
    return error.status == 403 and error.reason in REASONS


def access_error(settings: Settings, what: str, sql: str, error: RefusedError) -> GoogleError:
    """Return the error of somebody who lacks a role; `sql` is the statement, "" for rows that are written."""
    place = settings.environment
    scope, target, role = missing_role(settings, sql, error.said)
    named = place.project if scope == "project" else f"{place.project}.{target}"
    command = give_command(Grant(scope, target, PERSON, role, ""), place.project, place.region)
    gives = for_whom(command, f"make cloud-apply ENV={settings.selected}")
    text = f"BigQuery: cannot {what}: {error.said}\nWhoever runs this lacks {role} on the {scope} {named}. {gives}"
    return GoogleError(text, error.status, error.reason)


def missing_role(settings: Settings, sql: str, said: str) -> Tuple[Scope, str, str]:
    """Return the role, and on what: to start a job, to read the dataset, or to change what is in it."""
    place = settings.environment
    if START_JOBS in said:
        return "project", place.project, "roles/bigquery.jobUser"
    named = NAMED.search(said)
    dataset = named[1] if named else place.dataset
    lines = [line for line in sql.splitlines() if line.strip() and not line.lstrip().startswith("--")]
    is_read = bool(lines) and lines[0].split()[0].upper() in READ
    return "dataset", dataset, "roles/bigquery.dataViewer" if is_read else "roles/bigquery.dataEditor"
