"""The smoke test: is the model that is served the model that was trained?"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from esteira.errors import ServingError
from esteira.serving.checks import MALFORMED, Check, check_odd_texts, check_recorded, compared
from esteira.serving.client import Client, model_path
from esteira.serving.recorded import INPUTS, OUTPUTS, Recorded, read_recorded
from esteira.serving.running import running_server
from esteira.serving.saved_model import check_model_dir, model_version
from esteira.settings import Settings


@dataclass(frozen=True)
class SmokeResult:
    """All checks; every one passed, else smoke_test would have raised."""

    checks: Tuple[Check, ...]

    @property
    def failed(self) -> List[Check]:
        return [check for check in self.checks if not check.passed]


def smoke_test(model_dir: Path, *, settings: Settings) -> SmokeResult:
    """Serve the model in a process of its own, ask it over HTTP, and return the checks.

    Raises ServingError that lists each failed check, or if the server does not start.
    """
    check_model_dir(model_dir)
    recorded = read_recorded(model_dir)
    name = settings.pipeline.name
    with running_server(model_dir, name=name, max_batch=settings.serving.max_batch) as url:
        result = check_server(url, name, model_version(model_dir), recorded)
    return require_passed(str(model_dir), result)


def require_passed(model: str, result: SmokeResult) -> SmokeResult:
    """Return the result if every check passed, else raise ServingError that lists those that failed."""
    if not result.failed:
        return result
    told = "\n".join(f"- {check.name}: expected {check.expected}, got {check.observed}" for check in result.failed)
    raise ServingError(
        f"{model}: the smoke test failed in {len(result.failed)} of {len(result.checks)} checks:\n{told}\n"
        "The model answers otherwise than at training. Look at modules/, then: make deploy-full"
    )


def check_server(url: str, name: str, version: int, recorded: Recorded) -> SmokeResult:
    """Return the checks of the server at `url`, passed or not."""
    with Client(url) as client:
        path = model_path(name)
        checks = [check_status(client, path, version)]
        checks += check_signature(client, path)
        # What follows reads the outputs by name.
        if not all(check.passed for check in checks):
            return SmokeResult(tuple(checks))
        ask_model = partial(ask, client, path)
        checks += check_recorded(ask_model, recorded)
        checks.append(check_odd_texts(ask_model, recorded.labels))
        checks.append(check_malformed(client, path))
    return SmokeResult(tuple(checks))


def check_status(client: Client, path: str, version: int) -> Check:
    body = client.fetch("GET", path)
    seen = [f"{entry['version']} {entry['state']}" for entry in body["model_version_status"]]
    return compared("version and state", [f"{version} AVAILABLE"], seen)


def check_signature(client: Client, path: str) -> List[Check]:
    metadata = client.fetch("GET", f"{path}/metadata")["metadata"]
    signature = metadata["signature_def"]["signature_def"]["serving_default"]
    return [
        compared("inputs of serving_default", INPUTS, dtypes_of(signature["inputs"])),
        compared("outputs of serving_default", OUTPUTS, dtypes_of(signature["outputs"])),
    ]


def dtypes_of(tensors: Dict[str, Any]) -> Dict[str, str]:
    return {name: tensor["dtype"] for name, tensor in sorted(tensors.items())}


def ask(client: Client, path: str, instances: Sequence[Dict[str, str]]) -> List[Dict[str, Any]]:
    body = json.dumps({"instances": instances}).encode("ascii")
    rows: List[Dict[str, Any]] = client.fetch("POST", f"{path}:predict", body)["predictions"]
    return rows


def check_malformed(client: Client, path: str) -> Check:
    answer = client.ask("POST", f"{path}:predict", MALFORMED)
    return compared("status for a malformed body", 400, answer.status)
