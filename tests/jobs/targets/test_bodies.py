"""What TFX's own executors send to Google for the golden jobs, held against Google's discovery documents."""

import os
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from esteira.local.cloud.server import served
from esteira.process import run_program
from tests.conftest import REPOSITORY
from tests.jobs.targets.fixed import IMAGE, RUNNER, SERVING_IMAGE
from tests.jobs.targets.golden import FOLDER
from tests.jobs.targets.prediction_server import PARENT, Body, Recorder

pytestmark = [pytest.mark.slow, pytest.mark.programs, pytest.mark.loopback]

COMMAND = ["python", "-m", "tfx.scripts.run_executor", "--executor_class_path"]
PLAIN_TRAINER = "tfx.components.trainer.executor.GenericExecutor"


def bodies_of(form: str, folder: Path) -> List[Body]:
    """Return what TFX sends for a golden job, in its order."""
    recorder = Recorder()
    with served(recorder.stand_in):
        arguments = [str(FOLDER / f"{form}.json"), recorder.stand_in.url, str(folder)]
        run_program(
            [sys.executable, "-W", "ignore", "-m", "tests.jobs.targets.tfx_client", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "NO_GCE_CHECK": "true"},
            timeout_s=100,
        )
    return recorder.bodies


def without_command(body: Dict[str, Any], pools: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Return a training job without the commands of its containers, which hold what TFX hands on, after a check."""
    for pool in pools:
        command = pool.pop("command", None) or pool.pop("containerCommand")
        assert command[:5] == [*COMMAND, PLAIN_TRAINER]
    return body


def test_vertex_gets_a_custom_job_an_endpoint_and_a_model(tmp_path: Path) -> None:
    sent = bodies_of("vertex_custom_job", tmp_path)
    assert [(body.method.partition("locations.")[2], body.faults) for body in sent] == [
        ("customJobs.create", []),
        ("endpoints.create", []),
        ("models.upload", []),
        ("endpoints.deployModel", []),
    ]
    custom_job, endpoint, upload, deploy = (body.body for body in sent)
    spec = custom_job["jobSpec"]
    without_command(custom_job, [pool["containerSpec"] for pool in spec["workerPoolSpecs"]])
    machine = {"machineType": "n1-standard-8", "acceleratorType": "NVIDIA_TESLA_T4", "acceleratorCount": 2}
    assert custom_job["displayName"] == "sentiment-trainer"
    assert spec == {
        "serviceAccount": RUNNER,
        "workerPoolSpecs": [
            {"machineSpec": machine, "replicaCount": replicas, "containerSpec": {"imageUri": IMAGE}}
            for replicas in ("1", "2")
        ],
    }
    assert {"pipeline": "sentiment", "modules": "2" * 12}.items() <= custom_job["labels"].items()
    assert endpoint["displayName"] == "sentiment-dev"
    assert endpoint["labels"]["release"] == "0123456789ab"
    assert upload["model"]["containerSpec"] == {"imageUri": SERVING_IMAGE}
    assert upload["model"]["artifactUri"] == "gs://demo-bucket/pushed"
    assert deploy["trafficSplit"] == {"0": 100}
    assert deploy["deployedModel"]["model"] == f"{PARENT}/models/1"
    assert deploy["deployedModel"]["serviceAccount"] == RUNNER
    assert deploy["deployedModel"]["dedicatedResources"] == {
        "machineSpec": {
            "machineType": "n1-standard-2",
            "acceleratorType": "NVIDIA_TESLA_T4",
            "acceleratorCount": 1,
        },
        "minReplicaCount": 1,
        "maxReplicaCount": 2,
        "autoscalingMetricSpecs": [
            {"metricName": "aiplatform.googleapis.com/prediction/online/cpu/utilization", "target": 60}
        ],
    }


def test_ai_platform_would_get_a_job_a_model_and_a_version(tmp_path: Path) -> None:
    sent = bodies_of("ai_platform", tmp_path)
    assert [(body.method, body.faults) for body in sent] == [
        ("ml.projects.jobs.create", []),
        ("ml.projects.models.create", []),
        ("ml.projects.models.versions.create", []),
    ]
    job, model, version = (body.body for body in sent)
    training = job["trainingInput"]
    without_command(job, [training["masterConfig"]])
    accelerators = {"type": "NVIDIA_TESLA_T4", "count": "2"}
    assert training == {
        "region": "europe-west1",
        "scaleTier": "CUSTOM",
        "masterType": "n1-standard-8",
        "masterConfig": {"imageUri": IMAGE, "acceleratorConfig": accelerators},
        "workerType": "n1-standard-8",
        "workerCount": "2",
        "workerConfig": {"acceleratorConfig": accelerators},
        "serviceAccount": RUNNER,
    }
    assert {"pipeline": "sentiment", "modules": "2" * 12}.items() <= job["labels"].items()
    assert (model["name"], model["regions"]) == ("sentiment", ["europe-west1"])
    assert version["deploymentUri"] == "gs://demo-bucket/pushed"
    assert version["machineType"] == "n1-standard-2"
    assert version["autoScaling"] == {
        "minNodes": 1,
        "maxNodes": 2,
        "metrics": [{"name": "CPU_USAGE", "target": 60}],
    }
    assert version["acceleratorConfig"] == {"type": "NVIDIA_TESLA_T4", "count": "1"}
    assert version["labels"]["release"] == "0123456789ab"
