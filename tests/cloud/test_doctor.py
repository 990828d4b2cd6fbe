import json
import os
import threading
import time
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from esteira.cloud.doctor import check_vertex, examine, guarded
from esteira.cloud.doctor_machine import account_of, check_clock, check_credentials, check_gcloud, check_hosts
from esteira.cloud.doctor_quota import check_quota
from esteira.cloud.front import doctor
from esteira.doctor.finding import run_checks
from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.local.cloud.faults import Fault
from esteira.local.cloud.refusal import disabled
from tests.cloud.conftest import said

pytestmark = [pytest.mark.loopback, pytest.mark.programs]

TABLES = ("esteira.request_log", "esteira.deployed_models", "esteira.ground_truth")


@pytest.fixture
def scene(make_scene):
    made = make_scene()
    made.stand_in.add({"aiplatform.projects.locations.pipelineJobs.list": lambda call: {"pipelineJobs": []}})
    made.apply()
    return made


def findings(scene):
    return [tuple(finding) for finding in examine(scene.settings, scene.api) if finding.name != "gcloud"]


def test_a_project_that_was_applied_is_well(scene):
    account = "service account esteira-{}@demo-project.iam.gserviceaccount.com"
    assert findings(scene) == [
        ("credentials", True, "none are needed for servers on this machine", ""),
        ("network", True, "all 8 servers answer", ""),
        ("clock", True, "within 60 s of Google's", ""),
        ("project", True, "demo-project, number 123456789012", ""),
        ("APIs", True, "all 13 are enabled", ""),
        (account.format("build"), True, "as it must be", ""),
        (account.format("run"), True, "as it must be", ""),
        ("bucket demo-bucket", True, "as it must be", ""),
        ("repository images", True, "as it must be", ""),
        ("dataset esteira", True, "as it must be", ""),
        *((f"table {name}", True, "as it must be", "") for name in TABLES),
        ("permissions, project", True, "you hold all 4 on demo-project", ""),
        ("permissions, bucket", True, "you hold all 5 on demo-bucket", ""),
        ("permissions, repository", True, "you hold all 2 on images", ""),
        *(
            (
                "permissions, service account",
                True,
                f"you hold all 1 on esteira-{name}@demo-project.iam.gserviceaccount.com",
                "",
            )
            for name in ("build", "run")
        ),
        ("permissions, project", True, "you hold all 1 on demo-project", ""),
        ("Vertex AI", True, "runs pipelines in europe-west1", ""),
        ("quota", True, "42 CPUs for training in europe-west1; a run needs 4", ""),
    ]


def test_what_is_wrong_is_told_with_how_to_mend_it(scene):
    scene.admin.usage.enabled.remove("sts.googleapis.com")
    scene.admin.usage.quotas = {"aiplatform.googleapis.com/custom_model_training_cpus": 2}
    scene.admin.lacking.add("logging.logEntries.list")
    scene.buckets.resources["demo-bucket"]["location"] = "US"
    wrong = [finding for finding in findings(scene) if finding[1] is not True]
    assert wrong == [
        ("APIs", False, "not enabled: sts.googleapis.com", "Run: make cloud-apply ENV=dev"),
        (
            "bucket demo-bucket",
            False,
            "location: is us, wanted europe-west1",
            "A bucket cannot be moved. Name another one in esteira.toml, environments.dev.bucket, or set "
            "environments.dev.region to where it is",
        ),
        (
            "permissions, project",
            False,
            "you lack logging.logEntries.list (to show the build's log) on project demo-project",
            "Have an owner run: gcloud projects add-iam-policy-binding demo-project "
            "--member=user:NAME@EXAMPLE.COM --role=roles/logging.viewer",
        ),
        (
            "quota",
            False,
            "2 CPUs for training in europe-west1; a run needs 4",
            "Ask for more of aiplatform.googleapis.com/custom_model_training_cpus: "
            "https://console.cloud.google.com/iam-admin/quotas?project=demo-project",
        ),
    ]


def test_what_a_rollback_by_hand_lacks_is_told_with_the_command(scene):
    scene.admin.lacking.add("iam.serviceAccounts.actAs")
    run = "esteira-run@demo-project.iam.gserviceaccount.com"
    assert [finding for finding in findings(scene) if finding[1] is not True][-1] == (
        "permissions, service account",
        False,
        f"you lack iam.serviceAccounts.actAs (to bring back models, which act as it) on service account {run}",
        f"Have an owner run: gcloud iam service-accounts add-iam-policy-binding {run} "
        "--member=user:NAME@EXAMPLE.COM --role=roles/iam.serviceAccountUser",
    )


def test_a_quota_that_google_does_not_tell_is_said_not_to_be_checked(scene):
    scene.admin.usage.quotas = {}
    (finding,) = [finding for finding in findings(scene) if finding[0] == "quota"]
    assert finding == (
        "quota",
        None,
        "not checked: Google Cloud: cannot read a quota: Quota metric "
        "aiplatform.googleapis.com/custom_model_training_cpus not found.",
        "Look: https://console.cloud.google.com/iam-admin/quotas?project=demo-project",
    )


def test_a_login_that_has_expired_is_told_once(scene):
    scene.stand_in.faults.add(Fault(".*", "expired", times=99))
    wrong = [finding for finding in findings(scene) if finding[1] is not True]
    remedy = "Log in: gcloud auth application-default login    Then run the command again."
    assert wrong == [("credentials", False, "Request had invalid authentication credentials.", remedy)]
    with pytest.raises(GoogleError, match="^1 check has failed"):
        said(lambda console: doctor(scene.settings, {}, console, api=scene.api))


def test_a_login_whose_requests_count_for_another_project_is_told_once(scene):
    def refuse(call):
        raise disabled(call.method.partition(".")[0], "764086051850")

    scene.stand_in.add({method: refuse for method in scene.stand_in.handlers})
    wrong = [finding for finding in findings(scene) if finding[1] is not True]
    remedy = "Run: gcloud auth application-default set-quota-project demo-project"
    said = "Requests count for the project 764086051850, not for demo-project"
    assert wrong == [("credentials", False, said, remedy)]


def test_no_login_at_all_is_told_once(scene, tmp_path, monkeypatch):
    """Of servers over https, which are not reached: each check asks for a token first."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    variables = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": "https://127.0.0.1:9/" for name in names()}
    api = Api("demo-project", "europe-west1", {**os.environ, **variables}, environment="dev")
    vertex, quota = partial(check_vertex, api), partial(check_quota, scene.settings, api)
    (found,) = run_checks([partial(check_credentials, api), guarded("Vertex AI", vertex), guarded("quota", quota)])
    assert (found.name, found.good) == ("credentials", False)
    assert found.said.startswith("there are no credentials for Google Cloud that can be used: File ")


def test_a_failed_check_fails_the_command(scene):
    scene.buckets.resources.clear()
    scene.buckets.policies.clear()
    with pytest.raises(GoogleError) as caught:
        said(lambda console: doctor(scene.settings, {}, console, api=scene.api))
    expected = "1 check has failed. Mend what the table says, then run: make doctor ENV=dev"
    assert str(caught.value) == expected


def test_a_server_that_cannot_be_reached_is_named():
    variables = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": "http://127.0.0.1:9/" for name in names()}
    found = list(check_hosts(Api("demo-project", "europe-west1", variables)))
    assert [tuple(each) for each in found] == [
        (
            "network",
            False,
            "http://127.0.0.1:9/: Failed to establish a new connection: [Errno 111] Connection refused",
            "Check the network, and HTTPS_PROXY where there is a proxy",
        )
    ]


def names():
    return ("AIPLATFORM", "ARTIFACTREGISTRY", "BIGQUERY", "CLOUDBUILD", "IAM", "LOGGING", "SERVICEUSAGE", "STORAGE")


@pytest.fixture
def server():
    """A server whose clock can be set, and that tells whose a token is."""

    class Handler(BaseHTTPRequestHandler):
        ahead_s = 0.0

        def do_GET(self):
            body = json.dumps({"email": "person@example.com"}).encode()
            self.send_response_only(200)
            self.send_header("Date", formatdate(time.time() + self.ahead_s, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield Handler, f"http://127.0.0.1:{made.server_address[1]}/"
        made.shutdown()
        thread.join()


def test_a_clock_that_is_wrong_is_told(server):
    handler, url = server
    handler.ahead_s = 600.0
    api = Api("demo-project", "europe-west1", {"CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE": url})
    (found,) = check_clock(api)
    assert found.good is False
    assert found.said.endswith(" s behind Google's")
    assert found.remedy == "Set the clock, or have it set: sudo timedatectl set-ntp true"


def test_whose_a_token_is_is_asked(server):
    assert account_of("token", server[1]) == "person@example.com"
    assert account_of("token", "http://127.0.0.1:9/") == ""


def test_a_missing_gcloud_is_told(tmp_path):
    (found,) = check_gcloud({"PATH": str(tmp_path)})
    assert tuple(found) == (
        "gcloud",
        False,
        "gcloud: no such program on the PATH.",
        "Install it: https://cloud.google.com/sdk/docs/install",
    )
