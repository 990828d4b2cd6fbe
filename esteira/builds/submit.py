"""Submitting a generated build file to Cloud Build, by gcloud as a person would."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from esteira.builds.lint_substitutions import MAX_VALUE_LENGTH
from esteira.errors import BuildError, GoogleError, ProgramError
from esteira.files import write_text
from esteira.google.api import Api, Json
from esteira.google.refusals import NotFoundError
from esteira.process import run_program
from esteira.settings import Settings

SUBMIT_S = 300.0
# https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#status
OVER = frozenset({"SUCCESS", "FAILURE", "INTERNAL_ERROR", "TIMEOUT", "CANCELLED", "EXPIRED"})
ATTEMPTS = 3
HINT = "Install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install"
# What gcloud says where nobody knows whether the build was made.
PASSING = ("connection", "timed out", "timeout", "503", "502", "500", "429", "remote end closed", "reset by peer")


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
) -> Submitted:
    """Upload the source and create the build; one build alone, however often that has to be tried.

    Raises BuildError for a value that Cloud Build would refuse, ProgramError with gcloud's words if it refuses.
    """
    check_values(substitutions)
    flags = archive.with_suffix(".flags.yaml")
    write_text(flags, json.dumps({"--substitutions": dict(substitutions)}, indent=1))
    command = submit_command(settings, build_file, archive, flags)
    for attempt in range(ATTEMPTS):
        try:
            text = run_program(command, env=gcloud_variables(environ), timeout_s=SUBMIT_S, install_hint=HINT)
            return submitted(settings, json.loads(text)["id"])
        except ProgramError as error:
            if not is_passing(error):
                raise explained(settings, error) from None
            # The server may have acted before the connection was lost.
            found = find_build(settings, api, substitutions["_DEPLOY"])
            if found:
                return submitted(settings, found["id"])
            if attempt == ATTEMPTS - 1:
                raise explained(settings, error) from None
    raise AssertionError("the last attempt returns or raises")


def submit_command(settings: Settings, build_file: Path, archive: Path, flags: Path) -> List[str]:
    place = settings.environment
    account = f"projects/{place.project}/serviceAccounts/{place.builder_email}"
    return [
        *("gcloud", "builds", "submit", str(archive), f"--config={build_file}", f"--flags-file={flags}"),
        *(f"--project={place.project}", f"--region={place.region}", f"--service-account={account}"),
        *(f"--gcs-source-staging-dir={settings.bucket}/sources", "--async", "--format=json", "--quiet"),
    ]


def gcloud_variables(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return gcloud's variables: where an API stands in on this machine, nobody asks who one is."""
    variables = dict(environ)
    override = variables.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBUILD", "")
    if override.startswith("http://"):
        variables.setdefault("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
    return {**variables, "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"}


def check_values(substitutions: Mapping[str, str]) -> None:
    for key, value in substitutions.items():
        if len(value) > MAX_VALUE_LENGTH:
            raise BuildError(
                f"{key}: has {len(value):,} characters; Cloud Build takes {MAX_VALUE_LENGTH:,}.\n"
                "Expected fewer settings given on the command line. Write them into esteira.toml."
            )


def find_build(settings: Settings, api: Api, deploy: str) -> Optional[Json]:
    """Return the build of a deploy, known by its tag; None if there is none."""
    path, query = f"v1/{settings.environment.location}/builds", {"filter": f'tags="deploy-{deploy}"'}
    return next(iter(api.pages("look for the build", "cloudbuild", path, "builds", query)), None)


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


def submitted(settings: Settings, build: str) -> Submitted:
    return Submitted(build, build_page(settings, build))


def build_page(settings: Settings, build: str) -> str:
    place = settings.environment
    return f"https://console.cloud.google.com/cloud-build/builds;region={place.region}/{build}?project={place.project}"


def is_passing(error: ProgramError) -> bool:
    text = str(error).lower()
    return "permission" not in text and any(word in text for word in PASSING)


def explained(settings: Settings, error: ProgramError) -> GoogleError:
    """Return gcloud's refusal with what to type next."""
    text = str(error)
    if "no such program" in text:
        return GoogleError(text)
    advice = f"See what is missing: make doctor ENV={settings.selected}"
    if "invalid_grant" in text or "auth login" in text:
        advice = "Log in: gcloud auth login    Then run the command again."
    return GoogleError(f"Cloud Build does not take the build.\n{text}\n{advice}")


def exit_code_of(build: Mapping[str, Any]) -> int:
    """Return the exit code of the first step that failed by itself, 0 where none did."""
    steps = build.get("steps", [])
    return next((int(step["exitCode"]) for step in steps if step.get("exitCode") and step["status"] == "FAILURE"), 0)
