"""Submitting a generated build file to Cloud Build, by gcloud as a person would."""

import json
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping

from esteira.builds.gcloud_login import gcloud_login
from esteira.builds.lint_substitutions import MAX_VALUE_LENGTH
from esteira.builds.submit_refusal import NO_BUILD, explained, is_passing
from esteira.errors import BuildError, GoogleError, ProgramError
from esteira.files import write_text
from esteira.google.api import Api, Json
from esteira.google.refusals import NotFoundError
from esteira.process import run_program
from esteira.settings import Environment, Settings

SUBMIT_S = 300.0
# https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#status
OVER = frozenset({"SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED"})
# gcloud itself has tried for half a minute before it gives up, unless the server had too much to do.
PAUSES_S = (5.0, 20.0)
HINT = "Install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install"


@dataclass(frozen=True)
class Submitted:
    """A build that Cloud Build has, and the page that shows it."""

    id: str
    page: str


def submit_build(
    settings: Settings,
    api: Api,
    build_file: Path,
    archive: Path,
    substitutions: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Submitted:
    """Upload the source and create the build; one build alone, however often that has to be tried.

    Raises BuildError for a value that Cloud Build would refuse, GoogleError with gcloud's words if it refuses,
    or if there is no gcloud.
    """
    check_values(substitutions)
    deploy, flags = substitutions["_DEPLOY"], archive.with_suffix(".flags.yaml")
    write_text(flags, json.dumps({"--substitutions": dict(substitutions)}, indent=1))
    command = submit_command(settings, build_file, archive, flags)
    for pause_s in (*PAUSES_S, 0.0):
        try:
            with gcloud_login(environ, archive.parent) as variables:
                text = run_program(command, env=variables, timeout_s=SUBMIT_S, install_hint=HINT)
            return only_build(settings, api, deploy, read_id(text))
        except ProgramError as error:
            refusal = error
        if not is_passing(refusal):
            break
        # The server may have acted before the connection was lost.
        found = next(find_builds(settings, api, deploy), None)
        if found:
            return only_build(settings, api, deploy, found["id"])
        pause(pause_s)
    raise explained(settings, refusal)


def submit_command(settings: Settings, build_file: Path, archive: Path, flags: Path) -> List[str]:
    place = settings.environment
    return [
        *("gcloud", "builds", "submit", str(archive), f"--config={build_file}", f"--flags-file={flags}"),
        *(f"--project={place.project}", f"--region={place.region}", f"--service-account={account_name(place)}"),
        # As the file has it: gcloud's own property builds/timeout, if somebody has set it, would win.
        f"--timeout={settings.build.timeout_s}s",
        *(f"--gcs-source-staging-dir={settings.bucket}/sources", "--async", "--format=json", "--quiet"),
    ]


def account_name(place: Environment) -> str:
    """Return the resource name of the account of builds, which may be one of another project.

    https://cloud.google.com/iam/docs/service-account-types tells what the addresses are.
    """
    owner = re.search(r"@([a-z0-9-]+)((?:\.[a-z0-9-]+)*)\.iam\.gserviceaccount\.com$", place.builder_email)
    # A project of an organisation's domain is called example.com:project, and project.example.com in an address.
    domain = f"{owner[2][1:]}:" if owner and owner[2] else ""
    return f"projects/{domain}{owner[1] if owner else place.project}/serviceAccounts/{place.builder_email}"


def read_id(text: str) -> str:
    """Return the id of the build that gcloud tells of; ProgramError if it tells of none."""
    try:
        return str(json.loads(text)["id"])
    except (ValueError, KeyError, TypeError):
        raise ProgramError(f"ERROR: {NO_BUILD}, got {text.strip()[:200]!r}") from None


def check_values(substitutions: Mapping[str, str]) -> None:
    for key, value in substitutions.items():
        if len(value) > MAX_VALUE_LENGTH:
            raise BuildError(
                f"{key}: has {len(value):,} characters; Cloud Build takes {MAX_VALUE_LENGTH:,}.\n{shorter(key, value)}"
            )


def shorter(key: str, value: str) -> str:
    """Return how a substitution that is too long can be made shorter."""
    if key == "_SETTINGS":
        return "Expected fewer settings given on the command line. Write them into esteira.toml."
    with suppress(ValueError, AttributeError):
        sizes = {name: len(str(part)) for name, part in json.loads(value).items()}
        longest = max(sizes, key=lambda name: sizes[name])
        return f"Expected a shorter value: the longest part of it is {longest}, with {sizes[longest]:,} characters."
    return "Expected a shorter value."


def only_build(settings: Settings, api: Api, deploy: str, build: str) -> Submitted:
    """Return a build, after others of its deploy were ended.

    gcloud repeats a request whose answer was lost, and has made two builds then.
    """
    with suppress(GoogleError):
        for other in find_builds(settings, api, deploy):
            if other["id"] != build and other["status"] not in OVER:
                cancel_build(settings, api, other["id"])
    return Submitted(build, build_page(settings, build))


def find_builds(settings: Settings, api: Api, deploy: str) -> Iterator[Json]:
    """Yield the builds of a deploy, known by their tag."""
    path, query = f"v1/{settings.environment.location}/builds", {"filter": f'tags="deploy-{deploy}"'}
    return api.pages("look for the build", "cloudbuild", path, "builds", query)


def cancel_build(settings: Settings, api: Api, build: str) -> None:
    """Ask Cloud Build to end a build, which takes it some seconds."""
    path = f"v1/{settings.environment.location}/builds/{build}:cancel"
    api.call("cancel the build", "cloudbuild", "POST", path, body={}, repeat=True)


def get_build(settings: Settings, api: Api, build: str) -> Json:
    """Return a build as Cloud Build has it; NotFoundError if it has none."""
    return api.call("see the build", "cloudbuild", "GET", f"v1/{settings.environment.location}/builds/{build}")


def is_over(settings: Settings, api: Api, build: str) -> bool:
    """Return whether a build has ended, or Cloud Build does not know it any more; False where nobody answers."""
    try:
        return get_build(settings, api, build)["status"] in OVER
    except NotFoundError:
        return True
    except GoogleError:
        return False


def build_page(settings: Settings, build: str) -> str:
    place = settings.environment
    return f"https://console.cloud.google.com/cloud-build/builds;region={place.region}/{build}?project={place.project}"


def exit_code_of(build: Mapping[str, Any]) -> int:
    """Return the exit code of the first step that failed by itself, 0 where none did."""
    steps = build.get("steps", [])
    return next((int(step["exitCode"]) for step in steps if step.get("exitCode") and step["status"] == "FAILURE"), 0)
