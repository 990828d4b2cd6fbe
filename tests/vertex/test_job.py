import re

from esteira.settings import Settings
from esteira.vertex.job import make_body, make_run_id, run_labels, run_name
from tests.vertex.scripted import BUILD, RELEASE, RUN, bound_job, in_dev


def test_a_runs_id_follows_from_pipeline_release_and_build() -> None:
    assert make_run_id("sentiment", RELEASE, BUILD) == RUN
    longest = make_run_id("p" * 63, RELEASE, "B_" * 100)
    assert re.fullmatch(r"[a-z][-a-z0-9]{0,127}", longest)
    assert len(longest) == 128


def test_a_resource_name_with_the_projects_number_is_asked_for_by_its_id(settings: Settings) -> None:
    expected = "projects/demo-project/locations/europe-west1/pipelineJobs/run-1"
    assert run_name(in_dev(settings), "run-1") == expected
    assert run_name(in_dev(settings), "projects/123/locations/europe-west1/pipelineJobs/run-1") == expected


def test_the_body_holds_the_job_and_what_the_settings_say_of_its_run(settings: Settings) -> None:
    job, dev = bound_job(), in_dev(settings)
    assert make_body(dev, job, run_labels(dev, RELEASE, "Build_1")) == {
        "displayName": "sentiment",
        "labels": {
            "build": "build_1",
            "environment": "dev",
            "pipeline": "sentiment",
            "release": RELEASE,
            "tfx_py_version": "3-8",
            "tfx_runner": "kubeflow_v2",
            "tfx_version": "1-14-0",
        },
        "pipelineSpec": job["pipelineSpec"],
        "runtimeConfig": {**job["runtimeConfig"], "failurePolicy": "PIPELINE_FAILURE_POLICY_FAIL_FAST"},
        "serviceAccount": "esteira-run@demo-project.iam.gserviceaccount.com",
    }


def test_network_key_account_and_failure_policy_are_those_of_the_settings(settings: Settings) -> None:
    key = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
    account = "runner@demo-project.iam.gserviceaccount.com"
    dev = in_dev(settings, network="projects/1/global/networks/n", kms_key=key, run_account=account)
    dev = dev.copy(update={"cloud": dev.cloud.copy(update={"failure_policy": "slow"})})
    body = make_body(dev, bound_job(), {})
    assert body["network"] == "projects/1/global/networks/n"
    assert body["encryptionSpec"] == {"kmsKeyName": key}
    assert body["serviceAccount"] == account
    assert body["runtimeConfig"]["failurePolicy"] == "PIPELINE_FAILURE_POLICY_FAIL_SLOW"
