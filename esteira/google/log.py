"""Reading Cloud Logging: by pages, and on as entries come in, each once.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
"""

import json
import re
import time
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set

from esteira.errors import GoogleError
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
    """A log entry. `labels` are those of the resource that wrote it, `time` is RFC 3339 in UTC.

    `source` is the step of a build that wrote it, or the resource's type.
    """

    id: str
    source: str
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


class LogFollower:
    """Reads a log again and again, each entry once; `filter` may be changed meanwhile, and is "" for nothing yet.

    `error` is why the last reading failed, None if it went well.
    """

    def __init__(self, api: Api, filter: str = "") -> None:
        self.filter = filter
        self.error: Optional[GoogleError] = None
        self._api = api
        self._since = ""
        self._seen: Set[str] = set()

    def new_entries(self) -> Iterator[Entry]:
        """Yield what has come in since the last reading; nothing, with `error` set, if the log cannot be read."""
        self.error = None
        found: Set[str] = set()
        try:
            for entry in read_log(self._api, after(self.filter, self._since)) if self.filter else ():
                found.add(entry.id)
                self._since = max(self._since, earlier(entry.time))
                if entry.id not in self._seen:
                    yield entry
        except GoogleError as error:
            self.error = error
            found |= self._seen
        self._seen = found or self._seen


def follow_log(
    follower: LogFollower, is_over: Callable[[], bool], *, pause: Callable[[float], None] = time.sleep
) -> Iterator[Entry]:
    """Yield a log's entries, and those that come in until `is_over`, which is asked before each reading.

    So the last reading is one after the end. Raises GoogleError if that, or the first one, fails.
    """
    for reading, wait_s in enumerate(pauses(LONGEST_S, FIRST_S)):
        last = is_over()
        yield from follower.new_entries()
        if follower.error and (last or not reading):
            raise follower.error
        if last:
            return
        pause(wait_s)


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
        source=source_of(entry),
        time=entry.get("timestamp", ""),
        severity=entry.get("severity", "DEFAULT"),
        text=text_of(entry),
        labels=entry.get("resource", {}).get("labels", {}),
    )


def source_of(entry: Json) -> str:
    """Return what wrote an entry; Cloud Build labels each with its step, `Step #2 - "compile"`, or MAIN."""
    step = entry.get("labels", {}).get("build_step", "")
    named = re.fullmatch(r'Step #[0-9]+ - "(.+)"', step)
    return (named[1] if named else step) or str(entry.get("resource", {}).get("type", ""))


def text_of(entry: Json) -> str:
    """Return what an entry says: its text, its message, or all that it holds as JSON."""
    payload = entry.get("jsonPayload") or entry.get("protoPayload") or {}
    text = entry.get("textPayload", payload.get("message"))
    return (text if isinstance(text, str) else json.dumps(payload, sort_keys=True)).rstrip()


def build_filter(build: str) -> str:
    """Return the filter for the log of a build.

    https://cloud.google.com/build/docs/securing-builds/store-manage-build-logs
    """
    return f'resource.type="build" AND resource.labels.build_id="{build}"'
