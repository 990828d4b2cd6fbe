"""TFX's own Google Cloud executors at work on a job's custom_config, against a server on this machine.

Run as a program, since the SDK keeps where it connects to for the whole process:
python -m tests.jobs.targets.tfx_client JOB.json URL FOLDER. Only the address that clients connect to, and
how they log in, is not TFX's own; that of the legacy form's description of the API neither.
"""

import functools
import json
import sys
from pathlib import Path
from typing import Any, Dict, List, cast

import httplib2
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, aiplatform_v1
from google.cloud.aiplatform import gapic
from google.cloud.aiplatform_v1.services.job_service.transports import JobServiceRestTransport
from google.protobuf import symbol_database
from googleapiclient import discovery as googleapiclient_discovery
from tfx.extensions.google_cloud_ai_platform import training_clients
from tfx.extensions.google_cloud_ai_platform.pusher import executor as pusher
from tfx.extensions.google_cloud_ai_platform.trainer import executor as trainer
from tfx.types import standard_artifacts

from esteira.local.cloud.described import whole_document


def main() -> None:
    path, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    connect(url)
    train(custom_config(job, "Trainer"))
    push(custom_config(job, "Pusher"), folder)


def custom_config(job: Dict[str, Any], task: str) -> str:
    parameters = job["pipelineSpec"]["root"]["dag"]["tasks"][task]["inputs"]["parameters"]
    return cast(str, parameters["custom_config"]["runtimeValue"]["constantValue"]["stringValue"])


def connect(url: str) -> None:
    """Let TFX's clients of both forms connect to the server at `url`."""
    vertex, login = f"{url}aiplatform", AnonymousCredentials()

    def create_client(self: Any) -> None:
        transport = JobServiceRestTransport(host=vertex, credentials=login)
        self._client = gapic.JobServiceClient(transport=transport)

    training_clients.VertexJobClient.create_client = create_client
    aiplatform.init(
        project="demo-project",
        location="europe-west1",
        api_endpoint=vertex,
        api_transport="rest",
        credentials=login,
    )
    # An answer in JSON that holds an Endpoint makes a second class of it, which the SDK does not read; gRPC does not.
    symbol_database.Default().RegisterMessage(type(aiplatform_v1.Endpoint.pb(aiplatform_v1.Endpoint())))
    googleapiclient_discovery.build = functools.partial(build_here, url)


def build_here(url: str, service: str, version: str, *, requestBuilder: Any, client_options: Any = None) -> Any:
    """Return what googleapiclient.discovery.build does, the API's description and its address from here."""
    return googleapiclient_discovery.build_from_document(
        whole_document(f"{url}{service}/", service, version), http=httplib2.Http(), requestBuilder=requestBuilder
    )


def train(config: str) -> None:
    """Start a training job as TFX's Trainer does, and wait for it."""
    examples, model = standard_artifacts.Examples(), standard_artifacts.Model()
    examples.uri, model.uri = "gs://demo-bucket/examples", "gs://demo-bucket/model"
    trainer.GenericExecutor().Do({"examples": [examples]}, {"model": [model]}, {"custom_config": config})


def push(config: str, folder: Path) -> None:
    """Deploy a blessed model as TFX's Pusher does, but for copying it into the bucket."""
    pusher.io_utils.copy_dir = lambda src, dst: None
    inputs: Dict[str, List[Any]] = {"model": [standard_artifacts.Model()], "model_blessing": []}
    inputs["model"][0].uri = str(folder / "model")
    (folder / "model" / "Format-Serving").mkdir(parents=True)
    blessing = standard_artifacts.ModelBlessing()
    blessing.set_int_custom_property("blessed", 1)
    inputs["model_blessing"] = [blessing]
    pushed = standard_artifacts.PushedModel()
    pushed.uri = "gs://demo-bucket/pushed"
    pusher.Executor().Do(inputs, {"pushed_model": [pushed]}, {"custom_config": config})


if __name__ == "__main__":
    main()
