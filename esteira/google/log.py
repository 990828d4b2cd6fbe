"""Reading Cloud Logging: by pages, and on as entries come in, each once.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
"""

import json
import time
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Set

from esteira.google.api import Api, Json
from esteira.google.operations import pauses

PAGE = 1000  # the most that one answer holds
# A project may ask 60 times a minute. https://cloud.google.com/logging/quotas
LONGEST_S = 10.0
FIRST_S = 2.0
# Entries come in out of order, so that each reading begins a little before the last entry.
OVERLAP = timedelta(seconds=30)
SECONDS = "%Y-%m-%dT%H:%M:%S"
READ = "read the log in Cloud Logging"


class Entry(NamedTuple):
    """A log entry. `labels` are those of the resource that wrote it, `time` is RFC 3339 in UTC."""

    id: str
    time: str
    severity: str
    text: str
    labels: Mapping[str, str]


def read_log(api: Api, filter: str) -> Iterator[Entry]:
    """Yield the entries that a filter finds, the oldest first. Raises GoogleError."""
    token = ""
    while True:
        page = read_page(api, filter, "timestamp asc", PAGE, token)
        yield from map(read_entry, page.get("entries", []))
        # A page without entries may be followed by others: the search had too little time.
        token = page.get("nextPageToken", "")
        if not token:
            return


def read_tail(api: Api, filter: str, count: int) -> List[Entry]:
    """Return the last `count` entries that a filter finds, the oldest first. Raises GoogleError."""
    newest: List[Entry] = []
    token = ""
    while len(newest) < count:
        page = read_page(api, filter, "timestamp desc", count - len(newest), token)
        newest += map(read_entry, page.get("entries", []))
        token = page.get("nextPageToken", "")
        if not token:
            break
    return newest[::-1]


def follow_log(
    api: Api,
    filter: Callable[[], str],
    is_over: Callable[[], bool],
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Entry]:
    """Yield the entries that a filter finds, and those that come in until `is_over`, each once.

    `filter` is asked before each reading, since what writes may become more, and may be "" while nothing does.
    After the end there is one more reading, as entries come in late. Raises GoogleError.
    """
    since = ""
    seen: Set[str] = set()
    waits = pauses(LONGEST_S, FIRST_S)
    while True:
        last = is_over()
        wanted = filter()
        found: Set[str] = set()
        for entry in read_log(api, after(wanted, since)) if wanted else ():
            found.add(entry.id)
            if entry.id not in seen:
                yield entry
            since = max(since, earlier(entry.time))
        seen = found or seen
        if last:
            return
        pause(next(waits))


def after(filter: str, since: str) -> str:
    return f'({filter}) AND timestamp>="{since}"' if since else filter


def earlier(moment: str) -> str:
    """Return the time that the next reading begins at, from that of an entry."""
    return (datetime.strptime(moment[:19], SECONDS) - OVERLAP).strftime(f"{SECONDS}Z")


def read_page(api: Api, filter: str, order: str, size: int, token: str) -> Json:
    body: Dict[str, Any] = {
        "resourceNames": [f"projects/{api.project}"],
        "filter": filter,
        "orderBy": order,
        "pageSize": size,
    }
    if token:
        body["pageToken"] = token
    return api.call(READ, "logging", "POST", "v2/entries:list", body=body, repeat=True)


def read_entry(entry: Json) -> Entry:
    return Entry(
        id=f"{entry.get('timestamp', '')} {entry.get('insertId', '')}",
        time=entry.get("timestamp", ""),
        severity=entry.get("severity", "DEFAULT"),
        text=text_of(entry),
        labels=entry.get("resource", {}).get("labels", {}),
    )


def text_of(entry: Json) -> str:
    """Return what an entry says: its text, its message, or all that it holds as JSON."""
    payload = entry.get("jsonPayload") or entry.get("protoPayload") or {}
    text = entry.get("textPayload", payload.get("message"))
    return (text if isinstance(text, str) else json.dumps(payload, sort_keys=True)).rstrip()


def build_filter(build: str) -> str:
    """Return the filter for the log of a build. https://cloud.google.com/build/docs/securing-builds/store-manage-build-logs"""
    return f'resource.type="build" AND resource.labels.build_id="{build}"'
