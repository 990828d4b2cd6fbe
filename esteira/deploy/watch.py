"""Watching a build in Google Cloud: its steps, its log, and what it came to."""

import time
from typing import Any, Callable, Dict, Mapping, Sequence

from esteira.builds.submit import OVER, build_page, exit_code_of, get_build
from esteira.errors import BuildError, EsteiraError
from esteira.google.api import Api, Json
from esteira.google.log import LogFollower, build_filter
from esteira.google.operations import pauses
from esteira.google.refusals import LostError, RefusedError
from esteira.progress import Progress
from esteira.release.history import read_pointer, readable_release
from esteira.release.store import open_store
from esteira.settings import Settings

OUTCOMES = {"SUCCESS": "succeeded", "CANCELLED": "cancelled"}
LONGEST_S = 5.0
# https://cloud.google.com/apis/design/errors#handling_errors
BUSY = (429, 499)


def watch_build(
    settings: Settings, api: Api, build: str, report: Progress, *, pause: Callable[[float], None] = time.sleep
) -> Json:
    """Follow a build to its end and return it; its steps and what they print go to `report`.

    A Cloud Build that does not answer for a while, and a log that cannot be read, end nothing.
    """
    watched, log, unread = Watched(settings, api, build, report), LogFollower(api, build_filter(build)), False
    for pause_s in pauses(LONGEST_S):
        over = watched.is_over()
        for entry in log.new_entries():
            watched.hear(entry.source)
            for line in entry.text.splitlines():
                report.line(entry.source, line)
        if log.error and not unread:
            report.line("log", str(log.error).splitlines()[0])
        unread = log.error is not None
        if over:
            return watched.last
        pause(pause_s)
    raise AssertionError("there is always another pause")


class Watched:
    """A build that is looked at again and again; each change of a step is reported once."""

    def __init__(self, settings: Settings, api: Api, build: str, report: Progress) -> None:
        self.last: Json = {}
        self._settings = settings
        self._api = api
        self._build = build
        self._report = report
        self._told: Dict[str, str] = {}

    def is_over(self) -> bool:
        """Look at the build, and return whether it is over; False where nobody answers."""
        if self.last.get("status") not in OVER:
            try:
                self.last = get_build(self._settings, self._api, self._build)
            except LostError:
                return False
            except RefusedError as error:
                if error.status not in BUSY and error.status < 500:
                    raise
                return False
            tell_steps(self.last, self._told, self._report)
        return self.last["status"] in OVER

    def hear(self, name: str) -> None:
        """Take it that a step has begun, since it writes: Cloud Build may tell of its steps at the end only.

        https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#buildstep
        """
        if any(step.get("id") == name for step in self.last.get("steps", [])) and name not in self._told:
            self._report.started(name)
            self._told[name] = "WORKING"


def tell_steps(build: Mapping[str, Any], told: Dict[str, str], report: Progress) -> None:
    """Report each step whose status has changed since it was told."""
    for step in build.get("steps", []):
        name, status = step.get("id", ""), step.get("status", "QUEUED")
        if told.get(name, "QUEUED") == status or status == "PENDING":
            continue
        if name not in told and status != "CANCELLED":
            report.started(name)
        if status in OVER:
            code = step.get("exitCode")
            report.finished(name, OUTCOMES.get(status, "failed"), f"status {code}" if code else "")
        told[name] = status


def check_verdict(settings: Settings, build: Mapping[str, Any]) -> None:
    """Raise BuildError, with the exit code of the step that failed, unless the build succeeded."""
    if build["status"] == "SUCCESS":
        return
    failed = [step for step in build.get("steps", []) if step.get("status") in ("FAILURE", "TIMEOUT")]
    lines = [f"build {build['id']}: {build['status'].lower().replace('_', ' ')}."]
    lines += [f"Step {step['id']} {how_it_ended(step)}." for step in failed]
    detail = build.get("statusDetail") or (build.get("failureInfo") or {}).get("detail", "")
    lines += [detail] if detail and not failed else []
    error = BuildError(
        "\n".join(lines) + f"\nIts log: make logs ENV={settings.selected}, or {build_page(settings, build['id'])}\n"
        f"{what_is_served(settings, build, failed)} "
        f"Mend it and run: make deploy ENV={settings.selected}    Finished tasks are not run again."
    )
    error.exit_code = exit_code_of(build) or BuildError.exit_code
    raise error


def what_is_served(settings: Settings, build: Mapping[str, Any], failed: Sequence[Json]) -> str:
    """Return a sentence that says whether the build has promoted its release, as the pointer and the history tell."""
    try:
        store = open_store(settings)
        pointer = read_pointer(store).release
        served = readable_release(store, pointer) if pointer else None
    except EsteiraError:
        return f"To see what is served: make releases ENV={settings.selected}"
    if served is not None and served.build == build["id"]:
        return f"Its release {served.id} is promoted, and serves."
    if any(step["id"] == "promote" for step in failed):
        return "Its release did not become current: the log says which model has the traffic."
    return "Nothing was promoted: what was served before still is."


def how_it_ended(step: Mapping[str, Any]) -> str:
    return "took too long" if step["status"] == "TIMEOUT" else f"left with status {step.get('exitCode', 'unknown')}"
