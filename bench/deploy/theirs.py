"""A deploy by the way of the original: its Cloud Build file submitted with gcloud, as its workflow does."""

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List

from bench.deploy.measured import measure
from bench.deploy.original import build_of, build_text, image_name
from bench.deploy.scene import EDITED, Scene
from esteira.files import write_text
from esteira.local.cloud.server import StandIn
from tests.google.server import make_certificate, served_over_tls

# Neither is looked up: the project's environment stands for each step's image.
BUILDER = f"gcr.io/demo-project/cb-tfx@sha256:{'0' * 64}"


class Gsutil:
    """gsutil, the real one, with where Cloud Storage stands in: `command` is its beginning."""

    def __init__(self, command: List[str], behind_tls: StandIn) -> None:
        self.command, self.behind_tls = command, behind_tls


@contextmanager
def gsutil_for(scene: Scene, folder: Path) -> Iterator[Gsutil]:
    """Serve Cloud Storage behind TLS, as gsutil speaks to nothing else, until the end of the block."""
    served = scene.project.stand_in
    folder.mkdir(exist_ok=True)
    certificate = make_certificate(folder)
    with served_over_tls(StandIn(served.handlers, served.paths), certificate) as behind_tls:
        place = {
            "Credentials:gs_json_host": "127.0.0.1",
            "Credentials:gs_json_port": behind_tls.url.rstrip("/").rpartition(":")[2],
            "Boto:ca_certificates_file": str(folder / "certificate.pem"),
        }
        options = [word for name, value in place.items() for word in ("-o", f"{name}={value}")]
        yield Gsutil(["gsutil", *options], behind_tls)


def measure_theirs(scene: Scene, gsutil: Gsutil, kind: str, number: str) -> Dict[str, Any]:
    """Change what calls for a deploy of that kind, deploy it, and return the seconds until its job arrived."""
    scene.change(scene.original, EDITED[kind]["theirs"], f"theirs {number}")
    build_file = scene.repository.parent / f"{kind}.json"
    image = image_name(scene.project.variables)
    with tempfile.TemporaryDirectory(prefix="esteira-tfx-") as home:
        write_text(build_file, build_text(build_of(kind, scene, gsutil.command, image, home)))
        command = [
            *("gcloud", "builds", "submit", "--no-source", "--timeout=60m", f"--config={build_file}"),
            *(f"--substitutions=_BUILDER={BUILDER}", "--machine-type=n1-highcpu-8"),
            *("--project=demo-project", "--async", "--quiet"),
        ]
        return measure(scene, command, log=f"theirs-{kind}", also=[gsutil.behind_tls])
