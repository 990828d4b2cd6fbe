"""The smoke test: is the model that is served the model that was trained?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from esteira.errors import ServingError
from esteira.release.manifest import Release
from esteira.serving.answer_log import LogRule
from esteira.serving.answers_as import check_identity
from esteira.serving.check_known import Known, check_known
from esteira.serving.check_latency import NAME as LATENCY
from esteira.serving.check_latency import check_latency
from esteira.serving.check_refusals import check_refusals, check_server_refusals
from esteira.serving.check_signatures import check_answers, check_described
from esteira.serving.checks import Check, check_alone, check_odd_texts, check_recorded, compared
from esteira.serving.client import RETRY_S, Client
from esteira.serving.identity import Identity
from esteira.serving.interface import Interface, read_interfaces
from esteira.serving.limits import Limits, limits_of
from esteira.serving.probe import Probe, Said, ServerProbe, ask, encoded
from esteira.serving.recorded import Recorded, read_recorded, read_saved_interfaces
from esteira.serving.running import LogPlace, running_server
from esteira.serving.saved_model import check_model_dir, model_version
from esteira.settings import Settings

LATENCY_MS = 500
REQUEST_LOG = "request log"
LIMITS = Limits()


@dataclass(frozen=True)
class SmokeResult:
    """All checks, in the order that they were made in."""

    checks: Tuple[Check, ...]

    @property
    def failed(self) -> List[Check]:
        return [check for check in self.checks if not check.passed]


class SmokeError(ServingError):
    """A smoke test that failed; `result` has all of its checks."""

    def __init__(self, message: str, result: SmokeResult) -> None:
        super().__init__(message)
        self.result = result


class Subject(NamedTuple):
    """A model, and what is known of it: its answers at training, its signatures, texts with their labels.

    `is_ours` is false of a server whose messages are its own, `is_direct` where others answer in between.
    """

    recorded: Recorded
    interfaces: Mapping[str, Interface]
    known: Sequence[Known] = ()
    latency_ms: int = LATENCY_MS
    max_rows: int = LIMITS.max_rows
    is_ours: bool = True
    is_direct: bool = True


def smoke_test(
    model_dir: Path, *, settings: Settings, release: Optional[Release] = None, known: Sequence[Known] = ()
) -> SmokeResult:
    """Serve the model in a process of its own, ask it over HTTP, and return the checks.

    As that of a release it keeps its requests in the environment's request log, and a row of it is looked for.
    Raises SmokeError that lists each failed check, ServingError if the server does not start, WarehouseError if the
    request log cannot be used.
    """
    check_model_dir(model_dir)
    version, name, limits = model_version(model_dir), settings.pipeline.name, limits_of(settings.serving)
    subject = subject_of(model_dir, settings, known)
    identity = check_identity(settings, release, version) if release else Identity()
    logs = release is not None and settings.log.percent > 0
    place = LogPlace(settings.state / "warehouse", 100, settings.log.text) if logs else None
    max_batch = settings.serving.max_batch
    with running_server(
        model_dir, name=name, max_batch=max_batch, limits=limits, deployed=identity, log=place
    ) as url, Client(url, timeout_s=limits.timeout_s, retry_s=RETRY_S) as client:
        probe = ServerProbe(client, name, version)
        checks = check_served(probe, version, subject, limits.max_body_bytes)
        if release is not None and all(check.passed for check in checks):
            rule = LogRule(place.percent, place.text) if place else LogRule()
            checks += check_release(settings, rule, probe, identity, version, subject.recorded)
    return require_passed(str(model_dir), SmokeResult(tuple(checks)))


def subject_of(model_dir: Path, settings: Settings, known: Sequence[Known] = ()) -> Subject:
    """Return what is known of the model in a folder. Raises ServingError if what training wrote is not there."""
    recorded, interfaces, serving = read_recorded(model_dir), read_saved_interfaces(model_dir), settings.serving
    return Subject(recorded, interfaces, known, serving.latency_ms, serving.max_rows)


def require_passed(model: str, result: SmokeResult) -> SmokeResult:
    """Return the result if every check passed, else raise SmokeError that lists those that failed."""
    if not result.failed:
        return result
    told = "\n".join(f"- {check.name}: expected {check.expected}, got {check.observed}" for check in result.failed)
    count = f"{len(result.failed)} of {len(result.checks)} checks"
    raise SmokeError(f"{model}: the smoke test failed in {count}:\n{told}\n{advice(result)}", result)


def advice(result: SmokeResult) -> str:
    """Return what the checks that failed mean, and what to type."""
    failed = {check.name for check in result.failed}
    if failed == {REQUEST_LOG}:
        return "The model answers rightly, but its requests are not kept as they should be. See docs/request-log.md"
    if failed == {LATENCY}:
        return (
            "The model answers rightly, but slowly. Run: make smoke    If it stays so, make the model smaller, or "
            "allow more: serving.latency_ms in esteira.toml. Then: make deploy"
        )
    return "The model answers otherwise than it should. Look at modules/, then: make deploy-full"


def check_server(url: str, name: str, version: int, subject: Subject, limits: Limits = LIMITS) -> SmokeResult:
    """Return the checks of the server at `url`, passed or not. Raises ServingError if nobody answers."""
    with Client(url, timeout_s=limits.timeout_s, retry_s=RETRY_S) as client:
        probe = ServerProbe(client, name, version)
        return SmokeResult(tuple(check_served(probe, version, subject, limits.max_body_bytes)))


def check_release(
    settings: Settings, rule: LogRule, probe: ServerProbe, identity: Identity, version: int, recorded: Recorded
) -> List[Check]:
    """Return the checks of a server that answers as `identity`, and keeps its requests in the environment's log."""
    return [
        check_endpoint(probe, identity, version, recorded),
        check_row(settings, rule, probe, identity, version, recorded),
    ]


def check_served(probe: ServerProbe, version: int, subject: Subject, max_body_bytes: int) -> List[Check]:
    """Return what a server says of its model, then what the model answers, then what else the server refuses."""
    checks = [check_status(probe, version)]
    metadata = probe.client.fetch("GET", f"{probe.path}/metadata") if checks[0].passed else {}
    if metadata:
        checks += check_described(read_interfaces(metadata), subject.interfaces)
        labels = metadata["metadata"].get("labels", subject.recorded.labels)
        checks.append(compared("names of the classes", subject.recorded.labels, labels))
    if all(check.passed for check in checks):
        checks += check_model(probe, subject)
    # A model of another kind was not asked further.
    return checks + (check_server_refusals(probe, max_body_bytes) if all(check.passed for check in checks) else [])


def check_status(probe: ServerProbe, version: int) -> Check:
    answer = probe.client.ask("GET", probe.path)
    seen = answer.message
    if answer.status == 200 and isinstance(answer.body, dict):
        entries: List[Dict[str, Any]] = answer.body.get("model_version_status", [])
        seen = ", ".join(f"{entry.get('version')} {entry.get('state')}" for entry in entries)
    return Check("version and state", seen == f"{version} AVAILABLE", f"{version} AVAILABLE", seen)


def check_model(probe: Probe, subject: Subject) -> List[Check]:
    """Return the checks of a model's answers, wherever it is served. A request that fails is the last that is made."""
    recorded = subject.recorded
    checks: List[Check] = []
    try:
        served = ask(probe, recorded.instances)
        checks += check_recorded(recorded, served)
        # What follows reads the outputs by name.
        if len(checks) > 2 and len(served) == len(recorded.predictions):
            checks.append(check_alone(probe, recorded, served))
            checks += check_known(probe, subject.known, recorded.labels)
            checks += check_odd_texts(probe, recorded.labels)
            checks += check_answers(probe, subject.interfaces, recorded.instances)
            kind = {"is_ours": subject.is_ours, "is_direct": subject.is_direct}
            checks += check_refusals(probe, subject.max_rows, **kind)
            checks.append(check_latency(probe, recorded.instances[0], subject.latency_ms))
    except ServingError as error:
        checks.append(Check("an answer to each request", False, "status 200", str(error)))
    return checks


def check_endpoint(probe: ServerProbe, identity: Identity, version: int, recorded: Recorded) -> Check:
    """Ask the server as the Vertex AI endpoint that it is, too."""
    said = probe.post(f"/v1/{identity.endpoint}:predict", encoded(instances=recorded.instances[:1]))
    body = said.body if isinstance(said.body, dict) else {}
    seen = [said.status, len(body.get("predictions", [])), body.get("deployedModelId"), body.get("modelVersionId")]
    return compared("as a Vertex AI endpoint", [200, 1, identity.id, str(version)], seen)


def check_row(
    settings: Settings, rule: LogRule, probe: ServerProbe, identity: Identity, version: int, recorded: Recorded
) -> Check:
    """Ask once more, and look for the row of it in the environment's request log, which the server keeps by `rule`."""
    from esteira.serving.check_log import Logged, check_log, log_is_off

    if not rule.percent:
        return log_is_off()
    from esteira.monitoring.warehouse.database import open_warehouse

    instances = recorded.instances[:2]
    said: Said = probe.send(encoded(instances=instances))
    logged = Logged(instances, said, identity, version, recorded.labels, rule.text)
    with open_warehouse(settings) as warehouse:
        return check_log(warehouse, logged)
