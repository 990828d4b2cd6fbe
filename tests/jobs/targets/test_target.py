import copy
import json
from typing import Any, Dict, cast

import pytest

from esteira.errors import CompileError
from esteira.jobs.targets import check_deployable, for_target
from esteira.jobs.targets.tasks import Job
from tests.jobs.targets.conftest import Make
from tests.jobs.targets.fixed import (
    CLOSED,
    FORMS,
    IMAGE,
    RUNNER,
    SERVING_IMAGE,
    bound_of,
    release_of,
    settings_of,
    small_job,
)

TRAINED_ON = {"pipeline": "sentiment", "data": "1" * 12, "hyperparameters": "3" * 12, "modules": "2" * 12}


def container(job: Job, task: str) -> Dict[str, Any]:
    return cast(Dict[str, Any], job["pipelineSpec"]["deploymentSpec"]["executors"][f"{task}_executor"]["container"])


def config(job: Job, task: str) -> Dict[str, Any]:
    parameters = job["pipelineSpec"]["root"]["dag"]["tasks"][task]["inputs"]["parameters"]
    text = parameters["custom_config"]["runtimeValue"]["constantValue"]["stringValue"]
    return cast(Dict[str, Any], json.loads(text))


def test_on_local_a_job_stays_as_it_is(make_cloud: Make, tmp_path: Any) -> None:
    settings = settings_of(tmp_path, {"trainer.place": "custom_job", "cloud.cache": "false"}, env="local")
    job = small_job()
    assert for_target(job, settings, release_of(settings)) is job


def test_the_bound_job_that_is_given_is_not_changed(make_cloud: Make) -> None:
    settings = make_cloud(FORMS["vertex_custom_job"])
    job = bound_of(make_cloud({}), small_job())
    before = copy.deepcopy(job)
    assert for_target(job, settings, release_of(settings)) != before
    assert job == before


def test_a_task_that_trains_gets_what_it_may_use(make_cloud: Make) -> None:
    job = bound_of(make_cloud({"trainer.cpus": "8", "trainer.memory_gb": "30"}), small_job())
    assert container(job, "Trainer")["resources"] == {"cpuLimit": 8.0, "memoryLimit": 30.0}
    assert "resources" not in container(job, "Pusher")
    assert config(job, "Trainer") == {"epochs": 8}


def test_a_task_that_trains_gets_accelerators(make_cloud: Make) -> None:
    flags = {"trainer.accelerator_type": "NVIDIA_L4", "trainer.accelerator_count": "2"}
    resources = container(bound_of(make_cloud(flags), small_job()), "Trainer")["resources"]
    assert resources["accelerator"] == {"count": "2", "type": "NVIDIA_L4"}


def test_a_release_that_deploys_by_itself_pushes_into_the_bucket(make_cloud: Make) -> None:
    job = bound_of(make_cloud({}), small_job())
    destination = json.loads(job["runtimeConfig"]["parameters"]["push_destination"]["stringValue"])
    assert destination == {"filesystem": {"base_directory": "gs://demo-bucket/sentiment/serving"}}
    assert container(job, "Pusher")["args"][1] == "tfx.components.pusher.executor.Executor"


def test_a_custom_job_keeps_what_the_trainer_was_told(make_cloud: Make) -> None:
    job = bound_of(make_cloud({"trainer.place": "custom_job"}), small_job())
    assert config(job, "Trainer") == {
        "epochs": 8,
        "ai_platform_enable_vertex": True,
        "ai_platform_vertex_region": "europe-west1",
        "ai_platform_training_job_id": "sentiment-trainer",
        "ai_platform_training_args": {
            "project": "demo-project",
            "labels": TRAINED_ON,
            "job_spec": {
                "service_account": RUNNER,
                "worker_pool_specs": [
                    {
                        "container_spec": {"image_uri": IMAGE},
                        "machine_spec": {"machine_type": "n1-standard-8"},
                        "replica_count": 1,
                    }
                ],
            },
        },
    }
    assert "resources" not in container(job, "Trainer")


def test_a_closed_environment_trains_in_its_network_under_its_key(make_cloud: Make) -> None:
    args = config(bound_of(make_cloud({"trainer.place": "custom_job"}, **CLOSED), small_job()), "Trainer")[
        "ai_platform_training_args"
    ]
    assert args["job_spec"]["network"] == CLOSED["network"]
    assert args["encryption_spec"] == {"kms_key_name": CLOSED["kms_key"]}


def test_more_workers_are_a_pool_beside_the_chief(make_cloud: Make) -> None:
    job = bound_of(make_cloud(FORMS["vertex_custom_job"]), small_job())
    pools = config(job, "Trainer")["ai_platform_training_args"]["job_spec"]["worker_pool_specs"]
    machine = {"machine_type": "n1-standard-8", "accelerator_type": "NVIDIA_TESLA_T4", "accelerator_count": 2}
    assert [pool["replica_count"] for pool in pools] == [1, 2]
    assert [pool["machine_spec"] for pool in pools] == [machine, machine]


def test_another_gate_trains_nothing_anew(make_cloud: Make) -> None:
    settings = make_cloud({"trainer.place": "custom_job"})
    job, release = bound_of(make_cloud({}), small_job()), release_of(settings)
    other = release.copy(update={"id": "f" * 12})
    assert for_target(job, settings, release) == for_target(job, settings, other)


def test_the_pusher_deploys_where_it_is_to(make_cloud: Make) -> None:
    job = bound_of(make_cloud({"endpoint.by": "pusher", "endpoint.image": SERVING_IMAGE}), small_job())
    assert config(job, "Pusher") == {
        "ai_platform_enable_vertex": True,
        "ai_platform_vertex_region": "europe-west1",
        "ai_platform_vertex_container_image_uri": SERVING_IMAGE,
        "ai_platform_serving_args": {
            "project_id": "demo-project",
            "endpoint_name": "sentiment-dev",
            "labels": {"pipeline": "sentiment", "release": "0123456789ab"},
            "machine_type": "n1-standard-2",
            "min_replica_count": 1,
            "max_replica_count": 2,
            "autoscaling_target_cpu_utilization": 60,
            "service_account": RUNNER,
        },
    }
    assert "push_destination" not in json.dumps(job)


def test_a_push_destination_that_another_task_takes_stays_a_parameter(make_cloud: Make) -> None:
    job = small_job()
    job["pipelineSpec"]["root"]["dag"]["tasks"]["Trainer"]["inputs"]["parameters"]["log"] = {
        "componentInputParameter": "push_destination"
    }
    bound = bound_of(make_cloud({"endpoint.by": "pusher", "endpoint.image": SERVING_IMAGE}), job)
    assert "push_destination" in bound["runtimeConfig"]["parameters"]
    assert "push_destination" in bound["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]


def test_the_legacy_form_has_the_words_of_ai_platform(make_cloud: Make) -> None:
    job = bound_of(make_cloud(FORMS["ai_platform"], **CLOSED), small_job())
    accelerators = {"type": "NVIDIA_TESLA_T4", "count": "2"}
    assert config(job, "Trainer") == {
        "epochs": 8,
        "ai_platform_enable_vertex": False,
        "ai_platform_training_labels": TRAINED_ON,
        "ai_platform_training_args": {
            "project": "demo-project",
            "region": "europe-west1",
            "scaleTier": "CUSTOM",
            "masterType": "n1-standard-8",
            "masterConfig": {"imageUri": IMAGE, "acceleratorConfig": accelerators},
            "workerType": "n1-standard-8",
            "workerCount": "2",
            "workerConfig": {"acceleratorConfig": accelerators},
            "serviceAccount": RUNNER,
            "network": CLOSED["network"],
            "encryptionConfig": {"kmsKeyName": CLOSED["kms_key"]},
        },
    }
    assert config(job, "Pusher")["ai_platform_serving_args"] == {
        "project_id": "demo-project",
        "model_name": "sentiment",
        "regions": ["europe-west1"],
        "framework": "TENSORFLOW",
        "machineType": "n1-standard-2",
        "autoScaling": {"minNodes": 1, "maxNodes": 2, "metrics": [{"name": "CPU_USAGE", "target": 60}]},
        "acceleratorConfig": {"type": "NVIDIA_TESLA_T4", "count": "1"},
        "labels": {"pipeline": "sentiment", "release": "0123456789ab"},
    }


def test_without_the_cache_every_task_runs(make_cloud: Make) -> None:
    tasks = bound_of(make_cloud({"cloud.cache": "false"}), small_job())["pipelineSpec"]["root"]["dag"]["tasks"]
    assert [task["cachingOptions"] for task in tasks.values()] == [{"enableCache": False}] * 3


def test_a_job_that_lacks_what_a_setting_is_about_is_told(make_cloud: Make) -> None:
    job = small_job()
    del job["pipelineSpec"]["root"]["dag"]["tasks"]["Trainer"]
    with pytest.raises(CompileError) as caught:
        bound_of(make_cloud({"trainer.place": "custom_job"}), job)
    assert str(caught.value) == (
        "pipeline/pipeline.py: the job has no task that runs tfx.components.trainer.executor.GenericExecutor, "
        'which trainer.place = "custom_job" in esteira.toml is about.\n'
        "Expected TFX's own component there, or the setting's default."
    )


def test_a_custom_config_that_is_not_known_yet_cannot_be_added_to(make_cloud: Make) -> None:
    job = small_job()
    inputs = job["pipelineSpec"]["root"]["dag"]["tasks"]["Trainer"]["inputs"]["parameters"]
    inputs["custom_config"] = {"componentInputParameter": "data_uri"}
    with pytest.raises(CompileError, match="the custom_config of Trainer is no constant of the job"):
        bound_of(make_cloud({"trainer.place": "custom_job"}), job)


def test_what_cannot_be_deployed_is_told_before_anything_is_done(make_cloud: Make) -> None:
    with pytest.raises(CompileError) as legacy:
        check_deployable(make_cloud({"cloud.target": "ai_platform"}))
    assert str(legacy.value) == (
        'cloud.target = "ai_platform": AI Platform was shut down on 2025-01-31: nothing can be deployed to it.\n'
        'Expected cloud.target = "vertex" in esteira.toml. '
        "To look at the job of the legacy form: make job ENV=dev"
    )
    with pytest.raises(CompileError, match='endpoint.image: is empty, and endpoint.by = "pusher" needs one'):
        check_deployable(make_cloud({"endpoint.by": "pusher"}))
    with pytest.raises(CompileError, match="cannot encrypt a model and an endpoint with it"):
        check_deployable(make_cloud({"endpoint.by": "pusher", "endpoint.image": SERVING_IMAGE}, **CLOSED))


def test_everything_else_can_be_deployed(make_cloud: Make, tmp_path: Any) -> None:
    check_deployable(make_cloud(FORMS["vertex"], **CLOSED))
    check_deployable(make_cloud(FORMS["vertex_custom_job"]))
    check_deployable(settings_of(tmp_path / "local", {"cloud.target": "ai_platform"}, env="local"))
