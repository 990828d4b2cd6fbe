"""The stand-in of Cloud Logging: entries in memory, listed by filter, page by page."""

import threading
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional

from esteira.local.cloud.clock import Clock
from esteira.local.cloud.filters import comparable, matches
from esteira.local.cloud.refusal import Refused
from esteira.local.cloud.server import Call, Handler

PAGE = 50  # where a request does not say


@dataclass
class Logs:
    """The log entries of a project; thread-safe."""

    project: str = "demo-project"
    clock: Clock = field(default_factory=Clock)
    entries: List[Dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        type: str,
        labels: Mapping[str, str],
        text: str,
        *,
        entry_labels: Optional[Mapping[str, str]] = None,
        severity: str = "INFO",
        time: str = "",
        log: str = "stand-in",
    ) -> None:
        """Add an entry of a monitored resource; its time is now unless it is given."""
        with self._lock:
            self.entries.append(
                {
                    "insertId": f"entry-{len(self.entries) + 1}",
                    "timestamp": time or self.clock.now(),
                    "severity": severity,
                    "logName": f"projects/{self.project}/logs/{log}",
                    "resource": {"type": type, "labels": {"project_id": self.project, **labels}},
                    "labels": dict(entry_labels or {}),
                    "textPayload": text,
                }
            )

    def add_task_line(self, job: str, text: str) -> None:
        """Add a line that a custom job wrote."""
        self.add("ml_job", {"job_id": job, "task_name": "workerpool0-0"}, text, log="workerpool0-0")

    def list_entries(self, call: Call) -> Dict[str, Any]:
        body = call.body or {}
        if body.get("resourceNames") != [f"projects/{self.project}"]:
            raise Refused(400, "resourceNames: expected the project")
        with self._lock:
            found = [entry for entry in self.entries if matches(body.get("filter", ""), entry)]
        found.sort(
            key=lambda entry: (comparable(entry["timestamp"]), entry["insertId"]),
            reverse=body.get("orderBy", "") == "timestamp desc",
        )
        first, size = int(body.get("pageToken", "0")), int(body.get("pageSize", PAGE))
        page: Dict[str, Any] = {"entries": found[first : first + size]}
        if len(found) > first + size:
            page["nextPageToken"] = str(first + size)
        return page

    def write(self, call: Call) -> Dict[str, Any]:
        body = call.body or {}
        for entry in body.get("entries", []):
            resource = entry.get("resource") or body.get("resource", {})
            text = entry.get("textPayload") or str(entry.get("jsonPayload", {}).get("message", ""))
            self.add(resource.get("type", "global"), resource.get("labels", {}), text)
        return {}


def handlers(logs: Logs) -> Dict[str, Handler]:
    return {"logging.entries.list": logs.list_entries, "logging.entries.write": logs.write}
