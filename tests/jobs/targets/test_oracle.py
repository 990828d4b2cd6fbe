"""The rewritten job is the one that TFX compiles of its own Google Cloud components."""

import json

import pytest

from esteira.jobs.bind import bind_job
from esteira.jobs.targets import names
from esteira.jobs.targets.tasks import Job
from esteira.settings import Settings
from tests.jobs.targets.conftest import Make
from tests.jobs.targets.fixed import FORMS, IMAGE, RUNNER, SERVING_IMAGE, bound_of, release_of

pytestmark = pytest.mark.slow

LABELS = {"pipeline": "sentiment", "data": "1" * 12, "hyperparameters": "3" * 12, "modules": "2" * 12}
RELEASED = {"pipeline": "sentiment", "release": "0123456789ab"}
GPU = {"machine_type": "n1-standard-8", "accelerator_type": "NVIDIA_TESLA_T4", "accelerator_count": 2}


def bound_by_tfx(settings: Settings, compiled: Job, *, push: bool) -> Job:
    """Return a job of TFX's own making with the image and the parameters of the fixed release."""
    bucket, parts = "gs://demo-bucket/sentiment", release_of(settings).parts
    parameters = {
        "data_uri": parts["data"].uri,
        "schema_uri": f"{parts['data'].uri}/schema",
        "modules_uri": f"{parts['modules'].uri}/modules.py",
        "hyperparameters_uri": parts["hyperparameters"].uri,
    }
    if push:
        parameters["push_destination"] = json.dumps({"filesystem": {"base_directory": f"{bucket}/serving"}})
    return bind_job(
        compiled,
        image=IMAGE,
        pipeline_root=f"{bucket}/root",
        parameters=parameters,
        labels={"release": "0123456789ab"},
        metadata_store="projects/demo-project/locations/europe-west1/metadataStores/default",
    )


def test_the_names_are_those_of_tfx() -> None:
    from tfx.components.pusher import executor as plain_pusher
    from tfx.components.trainer import executor as plain_trainer
    from tfx.extensions.google_cloud_ai_platform import constants
    from tfx.extensions.google_cloud_ai_platform.pusher import executor as cloud_pusher
    from tfx.extensions.google_cloud_ai_platform.trainer import executor as cloud_trainer
    from tfx.utils.name_utils import get_full_name

    assert get_full_name(plain_trainer.GenericExecutor) == names.PLAIN_TRAINER
    assert get_full_name(plain_pusher.Executor) == names.PLAIN_PUSHER
    assert get_full_name(cloud_trainer.GenericExecutor) == names.CLOUD_TRAINER
    assert get_full_name(cloud_pusher.Executor) == names.CLOUD_PUSHER
    assert names.ENABLE_VERTEX == constants.ENABLE_VERTEX_KEY
    assert names.VERTEX_REGION == constants.VERTEX_REGION_KEY
    assert names.VERTEX_IMAGE == constants.VERTEX_CONTAINER_IMAGE_URI_KEY
    assert names.SERVING_ARGS == constants.SERVING_ARGS_KEY
    assert names.TRAINING_ARGS == cloud_trainer.TRAINING_ARGS_KEY
    assert names.TRAINING_JOB_ID == cloud_trainer.JOB_ID_KEY
    assert names.TRAINING_LABELS == cloud_trainer.LABELS_KEY


def test_a_task_with_resources_is_what_tfx_compiles(make_cloud: Make, compiled_job: Job) -> None:
    from tests.jobs.targets.tfx_cloud import Resources, compiled_by_tfx

    settings = make_cloud(FORMS["vertex"])
    resources = Resources(
        cpu_limit=4, memory_limit=16, accelerator=Resources.AcceleratorConfig(type="NVIDIA_TESLA_T4", count=1)
    )
    by_tfx = compiled_by_tfx(settings, resources=resources)
    assert bound_of(settings, compiled_job) == bound_by_tfx(settings, by_tfx, push=True)


def test_a_custom_job_and_an_endpoint_are_what_tfx_compiles(make_cloud: Make, compiled_job: Job) -> None:
    from tests.jobs.targets.tfx_cloud import cloud, compiled_by_tfx

    settings = make_cloud(FORMS["vertex_custom_job"])
    container = {"image_uri": IMAGE}
    by_tfx = compiled_by_tfx(
        settings,
        training={
            cloud.ENABLE_VERTEX_KEY: True,
            cloud.VERTEX_REGION_KEY: "europe-west1",
            cloud.JOB_ID_KEY: "sentiment-trainer",
            cloud.TRAINING_ARGS_KEY: {
                "project": "demo-project",
                "job_spec": {
                    "service_account": RUNNER,
                    "worker_pool_specs": [
                        {"container_spec": container, "machine_spec": GPU, "replica_count": 1},
                        {"container_spec": container, "machine_spec": GPU, "replica_count": 2},
                    ],
                },
                "labels": LABELS,
            },
        },
        serving={
            cloud.ENABLE_VERTEX_KEY: True,
            cloud.VERTEX_REGION_KEY: "europe-west1",
            cloud.VERTEX_CONTAINER_IMAGE_URI_KEY: SERVING_IMAGE,
            cloud.SERVING_ARGS_KEY: {
                "project_id": "demo-project",
                "endpoint_name": "sentiment-dev",
                "labels": RELEASED,
                "machine_type": "n1-standard-2",
                "min_replica_count": 1,
                "max_replica_count": 2,
                "autoscaling_target_cpu_utilization": 60,
                "service_account": RUNNER,
                "accelerator_type": "NVIDIA_TESLA_T4",
                "accelerator_count": 1,
            },
        },
    )
    assert bound_of(settings, compiled_job) == bound_by_tfx(settings, by_tfx, push=False)


def test_the_legacy_form_is_what_tfx_compiles(make_cloud: Make, compiled_job: Job) -> None:
    from tests.jobs.targets.tfx_cloud import cloud, compiled_by_tfx

    settings = make_cloud(FORMS["ai_platform"])
    accelerators = {"type": "NVIDIA_TESLA_T4", "count": "2"}
    by_tfx = compiled_by_tfx(
        settings,
        training={
            cloud.ENABLE_VERTEX_KEY: False,
            cloud.LABELS_KEY: LABELS,
            cloud.TRAINING_ARGS_KEY: {
                "project": "demo-project",
                "region": "europe-west1",
                "scaleTier": "CUSTOM",
                "masterType": "n1-standard-8",
                "masterConfig": {"imageUri": IMAGE, "acceleratorConfig": accelerators},
                "workerType": "n1-standard-8",
                "workerCount": "2",
                "workerConfig": {"acceleratorConfig": accelerators},
                "serviceAccount": RUNNER,
            },
        },
        serving={
            cloud.ENABLE_VERTEX_KEY: False,
            cloud.SERVING_ARGS_KEY: {
                "project_id": "demo-project",
                "model_name": "sentiment",
                "regions": ["europe-west1"],
                "framework": "TENSORFLOW",
                "machineType": "n1-standard-2",
                "autoScaling": {"minNodes": 1, "maxNodes": 2, "metrics": [{"name": "CPU_USAGE", "target": 60}]},
                "acceleratorConfig": {"type": "NVIDIA_TESLA_T4", "count": "1"},
                "labels": RELEASED,
            },
        },
    )
    assert bound_of(settings, compiled_job) == bound_by_tfx(settings, by_tfx, push=False)
