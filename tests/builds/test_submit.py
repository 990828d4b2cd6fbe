import json
from typing import Any, Callable, Dict

import pytest
import yaml

from esteira.builds.render import render_build
from esteira.builds.submit import account_name, cancel_build, exit_code_of, is_over, submit_build
from esteira.errors import BuildError, GoogleError
from esteira.local.cloud.contents import Contents
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.project import fetch
from esteira.settings import Settings
from tests.builds.scene import ARCHIVE, CANCEL, CREATE, SUBSTITUTIONS, Scene

pytestmark = [pytest.mark.programs, pytest.mark.loopback]

SECRET = "hunter2-0a1b2c3d4e5f"
AWKWARD = "a,b=c;^:^d 'e' \"f\" $G ${_DEPLOY} $$ \\n\n\ttab # no: comment — 概要 é"


def refused(scene: Scene, kind: Any, **more: Any) -> str:
    """Return what is said where a request to create the build meets a fault."""
    scene.stand_in.faults.add(Fault(r"cloudbuild\..*\.create", kind, **more))
    with pytest.raises(GoogleError) as caught:
        scene.submit()
    assert caught.value.exit_code == 21
    return str(caught.value)


def test_gcloud_posts_the_rendered_file_with_what_it_leaves_open(scene: Scene, bucket_server: str) -> None:
    submitted = scene.submit()
    posted, rendered = scene.posted(), yaml.safe_load(render_build("full.yaml.j2", scene.settings))
    account = "projects/demo-project/serviceAccounts/esteira-build@demo-project.iam.gserviceaccount.com"
    source = posted.pop("source")
    given = {**rendered["substitutions"], **SUBSTITUTIONS}
    assert posted == {**rendered, "substitutions": given, "serviceAccount": account}
    assert (posted["options"], posted["timeout"], posted["tags"]) == (
        {"logging": "CLOUD_LOGGING_ONLY", "machineType": "E2_HIGHCPU_8"},
        "21600s",
        ["esteira", "sentiment", "env-${_ENV}", "deploy-${_DEPLOY}", "follows-${_FOLLOWS}"],
    )
    place = source["storageSource"]
    assert set(source) == {"storageSource"}
    assert place["bucket"] == scene.settings.environment.bucket
    assert place["object"].startswith("sentiment/sources/")
    assert fetch(Contents(bucket_server), place["bucket"], place["object"]) == ARCHIVE
    (call,) = scene.stand_in.called(CREATE)
    assert call.path == "/cloudbuild/v1/projects/demo-project/locations/europe-west1/builds?alt=json"
    (build,) = scene.builds.known
    assert submitted.id == build
    assert submitted.page == (
        f"https://console.cloud.google.com/cloud-build/builds;region=europe-west1/{build}?project=demo-project"
    )


def test_machine_and_time_are_those_of_the_settings(scene: Scene, make_settings: Callable[..., Settings]) -> None:
    build = make_settings(build__machine_type="E2_HIGHCPU_32", build__timeout_s="86400").build
    scene.settings = scene.settings.copy(update={"build": build})
    # What somebody has set for other builds.
    scene.environ.update(CLOUDSDK_BUILDS_TIMEOUT="60", CLOUDSDK_BUILDS_USE_KANIKO="true", CLOUDSDK_CORE_PROJECT="other")
    scene.submit()
    posted = scene.posted()
    assert (posted["options"]["machineType"], posted["timeout"]) == ("E2_HIGHCPU_32", "86400s")
    run = next(step for step in posted["steps"] if step["id"] == "run")
    assert run["timeout"] == "86400s"


def test_secrets_are_named_by_their_version_and_given_to_the_steps(
    scene: Scene, make_settings: Callable[..., Settings]
) -> None:
    build = make_settings(build__secrets="INDEX_TOKEN=index-token/3,OTHER=other/1").build
    scene.settings = scene.settings.copy(update={"build": build})
    scene.builds.environ = {"INDEX_TOKEN": SECRET, "OTHER": SECRET}
    scene.submit()
    posted = scene.posted()
    assert posted["availableSecrets"] == {
        "secretManager": [
            {"versionName": "projects/$PROJECT_ID/secrets/index-token/versions/3", "env": "INDEX_TOKEN"},
            {"versionName": "projects/$PROJECT_ID/secrets/other/versions/1", "env": "OTHER"},
        ]
    }
    told = {step["id"]: step.get("secretEnv") for step in posted["steps"]}
    assert told.pop("open") is None
    assert set(map(tuple, told.values())) == {("INDEX_TOKEN", "OTHER")}
    assert SECRET not in json.dumps(posted)


def test_nothing_of_the_callers_environment_is_in_a_build(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    scene.environ.update(DATABASE_PASSWORD=SECRET, GITHUB_TOKEN=SECRET, CLOUDSDK_AUTH_ACCESS_TOKEN=SECRET)
    scene.submit()
    assert not any(SECRET.encode() in call.content for call in scene.stand_in.calls)
    assert SECRET not in json.dumps(list(scene.builds.known.values()))
    assert SECRET not in "".join(capfd.readouterr())


def test_a_value_of_any_kind_arrives_as_it_is(scene: Scene) -> None:
    given = json.dumps({"pipeline.name": AWKWARD}, ensure_ascii=False)
    scene.submit(_SETTINGS=given, _PLAN=AWKWARD)
    posted = scene.posted()["substitutions"]
    assert (posted["_SETTINGS"], posted["_PLAN"]) == (given, AWKWARD)


def test_a_value_that_is_too_long_is_refused_before_anything_is_uploaded(scene: Scene) -> None:
    scene.submit(_SETTINGS="x" * 4000)
    scene.stand_in.calls.clear()
    with pytest.raises(BuildError) as caught:
        scene.submit(_SETTINGS="x" * 4001)
    assert str(caught.value) == (
        "_SETTINGS: has 4,001 characters; Cloud Build takes 4,000.\n"
        "Expected fewer settings given on the command line. Write them into esteira.toml."
    )
    assert scene.stand_in.calls == []


def test_a_plan_that_is_too_long_is_told_with_its_longest_part(scene: Scene) -> None:
    with pytest.raises(BuildError) as caught:
        scene.submit(_PLAN=json.dumps({"reason": "modules differ", "url": "https://" + "x" * 4000}))
    assert str(caught.value) == (
        "_PLAN: has 4,047 characters; Cloud Build takes 4,000.\n"
        "Expected a shorter value: the longest part of it is url, with 4,008 characters."
    )
    with pytest.raises(BuildError, match=r"takes 4,000\.\nExpected a shorter value\.\Z"):
        scene.submit(_FOLLOWS="x" * 4001)


@pytest.mark.parametrize(
    ("address", "project"),
    [
        ("", "demo-project"),
        ("builder@shared-builders.iam.gserviceaccount.com", "shared-builders"),
        ("builder@builders.example.com.iam.gserviceaccount.com", "example.com:builders"),
        ("123456789012@cloudbuild.gserviceaccount.com", "demo-project"),
    ],
)
def test_the_account_of_builds_is_named_by_its_own_project(scene: Scene, address: str, project: str) -> None:
    place = scene.settings.environment.copy(update={"build_account": address})
    assert account_name(place) == f"projects/{project}/serviceAccounts/{place.builder_email}"


def test_a_missing_gcloud_is_named_with_how_to_get_it(scene: Scene) -> None:
    scene.environ["PATH"] = str(scene.folder)
    with pytest.raises(GoogleError) as caught:
        scene.submit()
    assert str(caught.value) == (
        "gcloud: no such program on the PATH.\nInstall the Google Cloud CLI: https://cloud.google.com/sdk/docs/install"
    )


def test_who_may_not_submit_is_told_what_is_missing(scene: Scene) -> None:
    told = refused(scene, "denied").splitlines()
    assert told[0] == "Cloud Build does not take the build."
    assert told[1].startswith(
        "ERROR: (gcloud.builds.submit) PERMISSION_DENIED: Permission 'cloudbuild.builds.create' denied on resource"
    )
    assert told[-1] == "See what is missing: make doctor ENV=dev"
    assert len(scene.stand_in.called(CREATE)) == 1


def test_an_expired_login_is_told_with_how_to_renew_it(scene: Scene) -> None:
    assert refused(scene, "expired") == (
        "Cloud Build does not take the build.\n"
        "ERROR: (gcloud.builds.submit) UNAUTHENTICATED: Request had invalid authentication credentials. This command "
        "is unauthenticated because the [auth/disable_credentials] property is True.\n"
        "Log in: gcloud auth application-default login    Then run the command again."
    )
    assert len(scene.stand_in.called(CREATE)) == 1


def test_a_quota_that_stays_exhausted_is_told_after_some_attempts(scene: Scene) -> None:
    assert refused(scene, "quota", times=3) == (
        "Cloud Build does not take the build.\n"
        "ERROR: (gcloud.builds.submit) RESOURCE_EXHAUSTED: Quota exceeded for quota metric 'cloudbuild' of service "
        "'cloudbuild.googleapis.com'.\n"
        "Wait a minute and run the command again."
    )
    assert len(scene.stand_in.called(CREATE)) == 3
    assert scene.builds.known == {}


@pytest.mark.parametrize(("kind", "requests"), [("busy", 2), ("unavailable", 2), ("reset", 2), ("lost", 2)])
def test_one_build_is_left_however_often_it_had_to_be_asked_for(scene: Scene, kind: Any, requests: int) -> None:
    scene.stand_in.faults.add(Fault(r"cloudbuild\..*\.create", kind))
    submitted = scene.submit()
    assert len(scene.stand_in.called(CREATE)) == requests
    living = [build["id"] for build in scene.builds.known.values() if build["status"] != "CANCELLED"]
    assert living == [submitted.id]
    # gcloud repeats a request whose answer was lost, so that Cloud Build has made two.
    assert len(scene.stand_in.called(CANCEL)) == (1 if kind == "lost" else 0)


@pytest.mark.parametrize(
    "script", ["echo 'ERROR: gcloud crashed (ConnectionError): reset' >&2; exit 1", "echo Created.", "echo '[]'"]
)
def test_a_build_that_was_made_though_gcloud_did_not_tell_is_found_by_its_tag(scene: Scene, script: str) -> None:
    first = scene.submit()
    fake = scene.folder / "bin" / "gcloud"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    scene.environ["PATH"] = f"{fake.parent}:{scene.environ['PATH']}"
    assert scene.submit() == first
    assert len(scene.stand_in.called(CREATE)) == 1


def test_a_file_that_cloud_build_refuses_is_told_with_what_to_mend(scene: Scene) -> None:
    build_file, archive = scene.folder / "wrong.yaml", scene.folder / "source.tgz"
    build_file.write_text(render_build("full.yaml.j2", scene.settings).replace('_PLAN: ""', '_PLANS: ""'))
    archive.write_bytes(ARCHIVE)
    with pytest.raises(GoogleError) as caught:
        submit_build(scene.settings, scene.api, build_file, archive, SUBSTITUTIONS, scene.environ)
    told = str(caught.value).splitlines()
    assert told[0] == "Cloud Build does not take the build."
    assert told[1].startswith("ERROR: (gcloud.builds.submit) INVALID_ARGUMENT: invalid build: build:1: ")
    assert "_PLANS" in told[1]
    assert told[-1] == ("Mend the template in cloudbuild/, then run: make generate    Then run the command again.")


def test_an_image_that_is_not_named_by_its_digest_is_refused(scene: Scene) -> None:
    with pytest.raises(GoogleError, match=r"INVALID_ARGUMENT: invalid build: invalid build step name 'python:3\.8'"):
        scene.submit(_BUILDER="python:3.8")


def test_a_build_is_over_when_it_has_ended_or_is_not_known(scene: Scene) -> None:
    build = scene.submit().id
    assert not is_over(scene.settings, scene.api, build)
    cancel_build(scene.settings, scene.api, build)
    assert is_over(scene.settings, scene.api, build)
    assert is_over(scene.settings, scene.api, "0a1b2c3d-0000-4000-8000-000000000000")


def test_a_build_that_nobody_tells_of_counts_as_going_on(scene: Scene) -> None:
    build = scene.submit().id
    cancel_build(scene.settings, scene.api, build)
    scene.stand_in.faults.add(Fault(r"cloudbuild\..*\.get", "denied"))
    assert not is_over(scene.settings, scene.api, build)


def test_a_builds_exit_code_is_that_of_the_step_that_failed_by_itself() -> None:
    def build(*steps: Dict[str, Any]) -> Dict[str, Any]:
        return {"steps": list(steps)}

    ended = {"status": "CANCELLED", "exitCode": 143}
    assert exit_code_of(build({"status": "SUCCESS", "exitCode": 0}, ended, {"status": "FAILURE", "exitCode": 10})) == 10
    assert exit_code_of(build({"status": "SUCCESS"}, ended)) == 0
    assert exit_code_of({}) == 0
