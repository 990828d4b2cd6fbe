"""A fixed environment and release, and a small job, that the tests of targets bind."""

from pathlib import Path
from typing import Any, Dict

from esteira.jobs.bind import bind_release
from esteira.jobs.targets.tasks import Job
from esteira.release.manifest import Part, Release
from esteira.settings import Settings, load_settings

ENVIRONMENT = {
    "project": "demo-project",
    "region": "europe-west1",
    "bucket": "demo-bucket",
    "repository": "images",
}
CLOSED = {
    "network": "projects/12345/global/networks/inside",
    "kms_key": "projects/demo-project/locations/europe-west1/keyRings/ring/cryptoKeys/key",
}
RUNNER = "esteira-run@demo-project.iam.gserviceaccount.com"
IMAGE = f"europe-west1-docker.pkg.dev/demo-project/images/runtime@sha256:{'a' * 64}"
SERVING_IMAGE = f"europe-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-13@sha256:{'b' * 64}"
# The settings of each form that has a golden job.
FORMS: Dict[str, Dict[str, str]] = {
    "vertex": {"trainer.accelerator_type": "NVIDIA_TESLA_T4"},
    "vertex_custom_job": {
        "trainer.place": "custom_job",
        "trainer.workers": "3",
        "trainer.accelerator_type": "NVIDIA_TESLA_T4",
        "trainer.accelerator_count": "2",
        "endpoint.by": "pusher",
        "endpoint.image": SERVING_IMAGE,
        "endpoint.accelerator_type": "NVIDIA_TESLA_T4",
    },
    "ai_platform": {
        "cloud.target": "ai_platform",
        "trainer.workers": "3",
        "trainer.accelerator_type": "NVIDIA_TESLA_T4",
        "trainer.accelerator_count": "2",
        "endpoint.accelerator_type": "NVIDIA_TESLA_T4",
    },
}


def settings_of(root: Path, flags: Dict[str, str], *, env: str = "dev", **keys: str) -> Settings:
    """Return settings whose environment `dev` has these keys beside its own, with `root` as their repository."""
    lines = ["[environments.dev]", *(f'{key} = "{value}"' for key, value in {**ENVIRONMENT, **keys}.items())]
    root.mkdir(parents=True, exist_ok=True)
    (root / "esteira.toml").write_text("\n".join(lines) + "\n")
    return load_settings(root, {"ESTEIRA_ENV": env, "ESTEIRA_STATE": str(root / "state")}, flags)


def release_of(settings: Settings) -> Release:
    """Return a release whose parts lie in the environment's bucket."""
    digits = {"data": "1" * 64, "modules": "2" * 64, "hyperparameters": "3" * 64, "job": "4" * 64}
    folders = {"hyperparameters": "best_hyperparameters", "job": "jobs"}
    parts = {
        name: Part(
            digest=f"sha256:{digit}",
            content=f"sha256:{digit}",
            uri=f"{settings.bucket}/{folders.get(name, name)}/{digit}",
        )
        for name, digit in digits.items()
    }
    parts["image"] = Part(digest=f"sha256:{'5' * 64}", content=f"sha256:{'a' * 64}", uri=IMAGE)
    parts["settings"] = Part(digest=f"sha256:{'6' * 64}")
    return Release(id="0123456789ab", pipeline="sentiment", commit="", dirty=False, kind="full", parts=parts)


def bound_of(settings: Settings, compiled: Job) -> Job:
    return bind_release(settings, release_of(settings), compiled)


def small_job() -> Job:
    """Return a compiled job that trains and pushes, of the form that TFX compiles."""
    parameters = ("data_uri", "schema_uri", "modules_uri", "hyperparameters_uri", "push_destination")
    return {
        "pipelineSpec": {
            "pipelineInfo": {"name": "sentiment"},
            "components": {
                "Trainer": component("Trainer", "custom_config"),
                "Pusher": component("Pusher", "custom_config", "push_destination"),
                "resolver": component("resolver"),
            },
            "deploymentSpec": {
                "executors": {
                    "Trainer_executor": executor("tfx.components.trainer.executor.GenericExecutor"),
                    "Pusher_executor": executor("tfx.components.pusher.executor.Executor"),
                    "resolver_executor": {"resolver": {"outputArtifactQueries": {"model": {"filter": "state=LIVE"}}}},
                }
            },
            "root": {
                "inputDefinitions": {"parameters": {name: {"type": "STRING"} for name in parameters}},
                "dag": {
                    "tasks": {
                        "Trainer": task("Trainer", custom_config=constant('{"epochs": 8}')),
                        "Pusher": task(
                            "Pusher",
                            custom_config=constant("null"),
                            push_destination={"componentInputParameter": "push_destination"},
                        ),
                        "resolver": task("resolver"),
                    }
                },
            },
        }
    }


def component(name: str, *parameters: str) -> Dict[str, Any]:
    definitions = {"parameters": {parameter: {"type": "STRING"} for parameter in parameters}}
    return {"executorLabel": f"{name}_executor", "inputDefinitions": definitions}


def executor(class_path: str) -> Dict[str, Any]:
    args = ["--executor_class_path", class_path, "--json_serialized_invocation_args", "{{$}}"]
    return {"container": {"image": "ESTEIRA_IMAGE", "args": args}}


def task(name: str, **parameters: Any) -> Dict[str, Any]:
    return {
        "cachingOptions": {"enableCache": True},
        "componentRef": {"name": name},
        "inputs": {"parameters": parameters},
    }


def constant(text: str) -> Dict[str, Any]:
    return {"runtimeValue": {"constantValue": {"stringValue": text}}}
