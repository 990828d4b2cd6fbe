"""A partial change by the way of the original: files copied with gsutil, then TFX's own command line.

The steps of build/partial-pipeline-deployment.yaml in github.com/arturlunardi/sentiment-analysis-tfx, one after
the other as there, but for its clone of the repository. Ours has no label encoder, which it copies, too: the file
that names the data set, as small, stands for it.
"""

import os
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List

from bench.deploy.ours import RUN
from bench.deploy.scene import Scene, children_cpu_s
from esteira.local.cloud.server import StandIn
from tests.google.server import make_certificate, served_over_tls

HERE = Path(__file__).resolve().parent
HOME = "gs://demo-bucket/original"
# The parameters of the pipeline, which the original's has as constants.
PARAMETERS = {
    "data_uri": f"{HOME}/data",
    "schema_uri": f"{HOME}/data/schema",
    "modules_uri": f"{HOME}/modules/modules.py",
    "hyperparameters_uri": f"{HOME}/best_hyperparameters",
    "push_destination": '{"filesystem": {"base_directory": "gs://demo-bucket/original/serving"}}',
}


@contextmanager
def gsutil_for(scene: Scene, folder: Path) -> Iterator[List[str]]:
    """Yield gsutil, the real one, with where Cloud Storage stands in: it speaks to TLS alone."""
    served = scene.project.stand_in
    folder.mkdir(exist_ok=True)
    certificate = make_certificate(folder)
    with served_over_tls(StandIn(served.handlers, served.paths), certificate) as behind_tls:
        place = {
            "Credentials:gs_json_host": "127.0.0.1",
            "Credentials:gs_json_port": behind_tls.url.rstrip("/").rpartition(":")[2],
            "Boto:ca_certificates_file": str(folder / "certificate.pem"),
        }
        yield ["gsutil", *(word for name, value in place.items() for word in ("-o", f"{name}={value}"))]


def measure_theirs(scene: Scene, gsutil: List[str], number: str) -> Dict[str, Any]:
    """Change a module, deploy it, and return the seconds until its job arrived, in parts."""
    scene.change(f"theirs {number}")
    before, cpu_s = len(scene.project.stand_in.calls), children_cpu_s()
    data = prepared_data(scene)
    moments = [time.time()]
    with tempfile.TemporaryDirectory(prefix="esteira-tfx-") as home:
        there = replace(scene, environ=variables(scene, home))
        for name, command in commands(scene, gsutil, data).items():
            there.run(*command, log=name)
            moments.append(time.time())
    (posted,) = [call for call in scene.project.stand_in.calls[before:] if call.method == RUN]
    moments[-1] = posted.came_s
    ends = zip(commands(scene, gsutil, data), moments, moments[1:])
    return {
        "total_s": posted.came_s - moments[0],
        "cpu_s": children_cpu_s() - cpu_s,
        "parts_s": {name: end - begin for name, begin, end in ends},
    }


def variables(scene: Scene, home: str) -> Dict[str, str]:
    """Return the variables of a build's container: nothing of an earlier run in its home, its own pip first."""
    path = os.pathsep.join([str(programs(scene)), scene.environ["PATH"]])
    return {**scene.environ, "HOME": home, "PATH": path, "PYTHONPATH": str(scene.repository)}


def programs(scene: Scene) -> Path:
    return Path(scene.environ["ESTEIRA_VENV"]) / "bin"


def commands(scene: Scene, gsutil: List[str], data: Path) -> Dict[str, List[str]]:
    """Return the original's steps by name, each with the files that the shell of a step would find."""
    modules = scene.repository / "modules"
    copies = {
        "modules": list(modules.glob("*.py")),
        "data": list(data.glob("*/*.csv")),
        "best_hyperparameters": list((modules / "best_hyperparameters").glob("*.txt")),
        "encoder": [modules / "dataset.txt"],
    }
    steps = {
        f"gsutil cp, {name}": [*gsutil, "cp", *map(str, sorted(files)), f"{HOME}/{name}/"]
        for name, files in copies.items()
    }
    place = ["--pipeline-name", scene.settings.pipeline.name, "--project", "demo-project", "--region", "europe-west1"]
    for name, value in PARAMETERS.items():
        place += ["--runtime-parameter", f"{name}={value}"]
    engine = ["--engine", "vertex"]
    steps["tfx pipeline create"] = [
        *(str(programs(scene) / "tfx"), "pipeline", "create", "--pipeline-path", str(HERE / "runner.py"), *engine)
    ]
    steps["tfx run create"] = [
        *(str(programs(scene) / "python"), str(HERE / "anonymous.py"), "run", "create", *engine, *place)
    ]
    return steps


def prepared_data(scene: Scene) -> Path:
    """Return the data as the full build prepared it."""
    build = next(iter(scene.project.builds.known))
    return scene.project.builds.folder / build / "workspace" / "build" / "data"
