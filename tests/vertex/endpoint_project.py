"""A project whose models are small functions: what endpoints do with them is the stand-in's."""

import json
from pathlib import Path
from typing import Any, Dict, List, Set, Tuple

from esteira.google.api import Api
from esteira.local.cloud.endpoints import Container, Endpoints
from esteira.local.cloud.numbers import PROJECT_NUMBER
from esteira.local.cloud.operations import Failed, Operations
from esteira.local.cloud.server import StandIn
from esteira.release.manifest import Outcome, Part, Release
from esteira.release.store.folder import FolderStore
from esteira.settings import Environment, Settings
from tests.serving.small_model import answer, model_files

LOCATION = "projects/demo-project/locations/europe-west1"
NUMBERED = f"projects/{PROJECT_NUMBER}/locations/europe-west1"
SERVING, CHECK = f"{NUMBERED}/endpoints/sentiment-dev", f"{NUMBERED}/endpoints/sentiment-dev-check"
IMAGE = f"europe-west1-docker.pkg.dev/demo-project/images/runtime@sha256:{'a' * 64}"
UNHEALTHY = "Model server never became ready. Please validate that your container configuration is valid."


class Bucket(FolderStore):
    """A folder that gives itself out as the environment's bucket."""

    @property
    def uri(self) -> str:
        return "gs://demo-bucket/sentiment"


class Project:
    """Endpoints on a stand-in, and releases whose models answer rightly unless they are in one of the sets."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        place = Environment(project="demo-project", region="europe-west1", bucket="demo-bucket", repository="images")
        self.settings = settings.copy(update={"selected": "dev", "environments": {"dev": place}})
        self.store = Bucket(folder)
        self.wrong: Set[str] = set()
        self.odd: Set[str] = set()
        self.unhealthy: Set[str] = set()
        self.asked: List[str] = []
        self.endpoints = Endpoints(self.start, Operations())
        self.stand_in = StandIn()
        self.stand_in.add(self.endpoints.handlers())

    @property
    def api(self) -> Api:
        variables = self.stand_in.variables()
        pause = lambda pause_s: None  # noqa: E731
        return Api("demo-project", "europe-west1", variables, environment="dev", pause=pause, retry_s=20)

    def set(self, section: str, **values: Any) -> None:
        changed = getattr(self.settings, section).copy(update=values)
        self.settings = self.settings.copy(update={section: changed})

    def start(self, model: Dict[str, Any]) -> Container:
        release = model["labels"].get("release", "")
        if release in self.unhealthy:
            raise Failed(9, UNHEALTHY)
        return lambda body: self.answer(release, body)

    def answer(self, release: str, body: bytes) -> Tuple[int, bytes]:
        self.asked.append(release)
        status, said = answer(body)
        rows = said.get("predictions", [])
        if release in self.wrong:
            rows = [{**row, "probabilities": [0.5, 0.5], "confidence": 0.5} for row in rows]
        if release in self.odd:
            rows = [{"label": row["label"]} for row in rows]
        return status, json.dumps({**said, "predictions": rows} if rows else said).encode("utf-8")

    def release(self, number: int) -> Release:
        """Return a blessed release whose model lies in the bucket with what it said at training."""
        model = f"serving/173230000{number}"
        for name, content in model_files().items():
            self.store.write(f"{model}/{name}", content)
        digest = "sha256:" + "a" * 64
        at = f"2026-11-22T21:30:0{number}Z"
        return Release(
            id=f"{number:012x}",
            pipeline="sentiment",
            commit="c" * 40,
            dirty=False,
            kind="full",
            parts={"image": Part(digest=digest, content=digest, uri=IMAGE)},
            at=at,
            outcome=Outcome(run="run", at=at, blessed=True, model=f"{self.store.uri}/{model}"),
        )

    def deployed(self, name: str = SERVING) -> Dict[str, int]:
        """Return the share of the traffic of each release that is deployed, in the order of deployment."""
        endpoint = self.endpoints.known.get(name, {"deployedModels": []})
        split = endpoint.get("trafficSplit", {})
        return {one["displayName"]: split.get(one["id"], 0) for one in endpoint["deployedModels"]}

    def deployments(self) -> List[str]:
        return [
            f"{call.parameters['endpoint'].rpartition('/')[2]} {call.body['deployedModel']['displayName']}"
            for call in self.stand_in.called("aiplatform.projects.locations.endpoints.deployModel")
        ]
