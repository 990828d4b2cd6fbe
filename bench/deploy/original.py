"""The steps of the original's two Cloud Build files, for the stand-in of Cloud Build.

build/{full,partial}-pipeline-deployment.yaml of github.com/arturlunardi/sentiment-analysis-tfx, at b8a99a2: the same
steps in the same order with the same arguments. What is told otherwise here is where Google stands in: gsutil's place,
the wrapper around `tfx run create`, and a repository of the same source in the original's folders.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping

from bench.deploy.scene import PIPELINE, Scene, commit, copy_repository
from esteira.files import write_bytes
from esteira.google.addresses import EMULATOR
from esteira.images.registry.hosts import REGISTRY_AT

HERE = Path(__file__).resolve().parent
NAME, FOLDER, BRANCH = "original", "tfx-pipeline", "main"
BUCKET = "gs://demo-bucket"
HOME = f"{BUCKET}/{NAME}"
# The parameters of the pipeline, which the original's has as constants.
PARAMETERS = {
    "data_uri": f"{HOME}/data",
    "schema_uri": f"{HOME}/data/schema",
    "modules_uri": f"{HOME}/modules/modules.py",
    "hyperparameters_uri": f"{HOME}/best_hyperparameters",
    "push_destination": '{"filesystem": {"base_directory": "gs://demo-bucket/original/serving"}}',
}
# What `tfx pipeline create --build-image` writes where there is none, but for its base: as ours, it has nothing in it.
DOCKERFILE = 'FROM scratch\nWORKDIR /pipeline\nCOPY ./ ./\nENV PYTHONPATH="/pipeline:${PYTHONPATH}"\n'
ENCODER_BYTES = 272
RUNNER = ("--pipeline-path", "kubeflow_v2_runner.py")
ENGINE = ("--engine", "vertex")


def lay_original(repository: Path, data: Path) -> None:
    """Make a repository of the same source, with the folders, the data and the encoder's file that the original has."""
    copy_repository(repository)
    pipeline = repository / FOLDER
    shutil.copytree(repository / PIPELINE, pipeline / PIPELINE)
    shutil.copy(HERE / "runner.py", pipeline / "kubeflow_v2_runner.py")
    write_bytes(pipeline / "Dockerfile", DOCKERFILE.encode())
    for path in sorted(data.glob("*/*.csv")):
        write_bytes(repository / "modules" / "data" / path.name, path.read_bytes())
    write_bytes(repository / "modules" / "label_encoder.pkl", bytes(ENCODER_BYTES))
    commit(repository, "What is measured")


def build_of(kind: str, scene: Scene, gsutil: List[str], image: str, home: str) -> Dict[str, Any]:
    """Return the build of a kind: "full" or "partial". `image` is what the full one pushes to.

    `home` is an empty folder: `tfx pipeline create` refuses a pipeline that it made before.
    """
    variables = {
        "HOME": home,
        # Else `tfx run create` asks for its bucket elsewhere, in vain, and for two minutes.
        EMULATOR: scene.project.variables[EMULATOR],
        "PYTHONPATH": str(scene.repository),
        "ESTEIRA_ENV": "dev",
        "BENCH_IMAGE": image,
    }
    return {
        "steps": steps_of(kind, scene.original.as_uri(), gsutil, scene.settings.pipeline.name),
        "options": {"env": [f"{name}={value}" for name, value in variables.items()]},
    }


def steps_of(kind: str, url: str, gsutil: List[str], pipeline: str) -> List[Dict[str, Any]]:
    """Return the steps of a kind; `url` is of the repository: git makes no shallow clone of a folder."""
    clone = ["clone", "--single-branch", "--branch", BRANCH, url, "--depth", "1", "--verbose"]
    steps = [{"id": "Clone Repository", "entrypoint": "git", "args": clone}, *copies(gsutil)]
    if kind == "full":
        steps.append(tfx("Compile Pipeline", "pipeline", "compile", *RUNNER, *ENGINE))
    more = ["--build-image"] if kind == "full" else []
    steps.append(tfx("Create Pipeline", "pipeline", "create", *RUNNER, *ENGINE, *more))
    steps.append(run_create(pipeline))
    for before, step in zip(steps, steps[1:]):
        step["waitFor"] = [before["id"]]
    return [{"name": "${_BUILDER}", **step} for step in steps]


def copies(gsutil: List[str]) -> List[Dict[str, Any]]:
    program, *place = gsutil
    files = {
        "Copy Modules": (["*.py", "*.pkl"], "modules", "modules"),
        "Copy Data": (["*.csv"], "modules/data", "data"),
        "Copy Hyperparameter": (["*.txt"], "modules/best_hyperparameters", "best_hyperparameters"),
    }
    return [
        {
            "id": step,
            "entrypoint": program,
            "args": [*place, "cp", *names, f"{HOME}/{target}"],
            "dir": f"{NAME}/{folder}",
        }
        for step, (names, folder, target) in files.items()
    ]


def tfx(step: str, *arguments: str) -> Dict[str, Any]:
    return {"id": step, "entrypoint": "tfx", "args": list(arguments), "dir": f"{NAME}/{FOLDER}"}


def run_create(pipeline: str) -> Dict[str, Any]:
    place = ["--pipeline-name", pipeline, "--project", "demo-project", "--region", "europe-west1"]
    for name, value in PARAMETERS.items():
        place += ["--runtime-parameter", f"{name}={value}"]
    step = tfx("Create Pipeline Run", str(HERE / "anonymous.py"), "run", "create", *ENGINE, *place)
    return {**step, "entrypoint": sys.executable}


def image_name(variables: Mapping[str, str]) -> str:
    """Return the image that is pushed, at the address of the registry of this machine."""
    return f"{variables[REGISTRY_AT].rpartition('=')[2]}/demo-project/{NAME}"


def drop_image(scene: Scene) -> None:
    """Remove what the full builds left with Docker."""
    subprocess.run(["docker", "rmi", "--force", image_name(scene.project.variables)], stdout=subprocess.DEVNULL)


def build_text(build: Dict[str, Any]) -> str:
    return json.dumps(build, indent=1)
