"""A Vertex AI endpoint that TFX's Pusher deploys to in the run, without the release's smoke test and rollback."""

from typing import Any, Dict

from esteira.errors import CompileError
from esteira.jobs.targets.names import (
    CLOUD_PUSHER,
    ENABLE_VERTEX,
    PLAIN_PUSHER,
    PUSH_DESTINATION,
    SERVING_ARGS,
    VERTEX_IMAGE,
    VERTEX_REGION,
)
from esteira.jobs.targets.tasks import Job, remove_parameter, required_tasks
from esteira.release.manifest import Release
from esteira.settings import Settings
from esteira.vertex.names import serving_id

BY_PUSHER = 'endpoint.by = "pusher"'


def place_serving(job: Job, settings: Settings, release: Release) -> None:
    """Change the job so that its Pusher deploys the model, where endpoint.by says so. Raises CompileError."""
    if settings.endpoint.by == "release":
        return
    check_pusher(settings)
    for task in required_tasks(job, PLAIN_PUSHER, BY_PUSHER):
        task.custom_config = {
            **task.custom_config,
            ENABLE_VERTEX: True,
            VERTEX_REGION: settings.environment.region,
            VERTEX_IMAGE: settings.endpoint.image,
            SERVING_ARGS: serving_args(settings, release),
        }
        task.class_path = CLOUD_PUSHER
        # TFX's Google Cloud Pusher has no such input.
        remove_parameter(job, task, PUSH_DESTINATION)


def check_pusher(settings: Settings) -> None:
    """Raise CompileError if TFX's Pusher cannot make the endpoint that the settings ask for.

    It uploads a model with an image and nothing else, neither a command nor a key
    (VertexPredictionClient.deploy_model in tfx/extensions/google_cloud_ai_platform/prediction_clients.py).
    """
    if not settings.endpoint.image:
        raise CompileError(
            f"esteira.toml: endpoint.image: is empty, and {BY_PUSHER} needs one: TFX's Pusher gives a container no "
            "command, and the release's own image starts no server by itself.\n"
            "Expected an image that serves a SavedModel, host/name@sha256:<64 hex>, such as one of Vertex AI's "
            'prebuilt containers for prediction. Set it, or endpoint.by = "release"'
        )
    if settings.environment.kms_key:
        raise CompileError(
            f"esteira.toml: environments.{settings.selected}.kms_key: TFX's Pusher, which {BY_PUSHER} asks for, "
            "cannot encrypt a model and an endpoint with it.\n"
            'Expected a release to deploy where there is a key. Set endpoint.by = "release"'
        )


def serving_args(settings: Settings, release: Release) -> Dict[str, Any]:
    """Return where and how TFX deploys: all but the names of project and endpoint go to Model.deploy.

    The labels are those of an endpoint that is made, and make each release deploy: a Pusher found in the cache
    would deploy nothing. https://googleapis.dev/python/aiplatform/latest/aiplatform.html
    """
    endpoint, place = settings.endpoint, settings.environment
    args: Dict[str, Any] = {
        "project_id": place.project,
        "endpoint_name": serving_id(settings),
        "labels": {"pipeline": release.pipeline, "release": release.id},
        "machine_type": endpoint.machine_type,
        "min_replica_count": endpoint.min_replicas,
        "max_replica_count": endpoint.max_replicas,
        "autoscaling_target_cpu_utilization": endpoint.cpu_percent,
        "service_account": place.runner_email,
    }
    if endpoint.accelerator_type:
        args.update(accelerator_type=endpoint.accelerator_type, accelerator_count=endpoint.accelerator_count)
    return args
