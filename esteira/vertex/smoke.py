"""The smoke test of a release on Vertex AI: its model answers there as it did at training, before it gets traffic.

A deployed model without traffic cannot be asked: predictions go where the traffic goes, and invoke asks for a
container without a predictRoute (ModelContainerSpec.invokeRoutePrefix). So a candidate is deployed twice at the
same time: beside the model that serves, at 0 %, and to an endpoint that only checks use, where it is asked.
"""

import math
import time
from dataclasses import replace
from functools import partial
from typing import Dict, List, Sequence

from esteira.errors import EsteiraError, GoogleError, ServingError
from esteira.google.api import Api, Json
from esteira.google.open import open_api
from esteira.release.manifest import Release
from esteira.release.places import placed_model
from esteira.release.store.interface import Store
from esteira.serving.check_known import Known, known_texts
from esteira.serving.checks import Check, compared
from esteira.serving.recorded import stored_interfaces, stored_recorded
from esteira.serving.smoke import SmokeResult, Subject, check_model, require_passed
from esteira.settings import Settings
from esteira.vertex.deploy import DEPLOY_S, begin_deploy, end_deploy, undeploy, version_of
from esteira.vertex.endpoint import deployed_models, find_deployed, find_endpoint, made_endpoint, share_of
from esteira.vertex.endpoint_log import held_text, hold_log
from esteira.vertex.model import uploaded_model
from esteira.vertex.names import check_id, serving_id
from esteira.vertex.predict import EndpointProbe, ask
from esteira.vertex.pushed import find_pushed

# That none of so many answers is the deployed model's, though it has its share of the traffic.
BY_CHANCE = 1e-6


def smoke_release(
    settings: Settings, api: Api, store: Store, release: Release, known: Sequence[Known] = ()
) -> SmokeResult:
    """Deploy a release's model, without traffic if another one serves, ask it, and return the checks.

    What was done before is found again. Raises ServingError that lists each failed check, or says why the model
    cannot be deployed: it is then undeployed; GoogleError where it is not known, and the next try goes on.
    """
    if settings.endpoint.by == "pusher":
        return smoke_pushed(settings, api, store, release, known)
    model_uri = placed_model(store, release.outcome.model) if release.outcome else ""
    subject = subject_of(settings, store, name_in(settings, store, release, model_uri), known)
    model = uploaded_model(settings, api, store, release)
    endpoint = made_endpoint(settings, api, serving_id(settings))
    if hold_log(settings, api, endpoint):
        print(held_text(settings, endpoint))
    if serves_no_other(endpoint, release, version_of(model)):
        return smoke_serving(settings, api, model, release, subject, endpoint)
    return smoke_beside(settings, api, model, release, subject, endpoint)


def smoke_pushed(
    settings: Settings, api: Api, store: Store, release: Release, known: Sequence[Known] = ()
) -> SmokeResult:
    """Ask the model that TFX's Pusher has deployed in the release's run, with its traffic."""
    pushed = find_pushed(settings, api)
    subject = subject_of(settings, store, name_in(settings, store, release, pushed.artifacts), known)
    return require_passed(words(release), check_endpoint(settings, api, pushed.identity, subject, pushed.deployed))


def smoke_current(settings: Settings, store: Store, release: Release) -> SmokeResult:
    """Ask the model that serves, as `make smoke` does; nothing is deployed. Raises SmokeError, GoogleError."""
    api, known = open_api(settings), known_texts(settings, store, release)
    if settings.endpoint.by == "pusher":
        return smoke_pushed(settings, api, store, release, known)
    identity = serving_id(settings)
    endpoint = find_endpoint(settings, api, identity) or {}
    deployed = find_deployed(endpoint, release)
    if deployed is None or not share_of(endpoint, deployed):
        raise ServingError(
            f"endpoint {identity}: release {release.id}, which is current, gets no traffic there.\n"
            f"Run: make rollback RELEASE={release.origin} ENV={settings.selected}"
        )
    model_uri = placed_model(store, release.outcome.model) if release.outcome else ""
    subject = subject_of(settings, store, name_in(settings, store, release, model_uri), known)
    share = share_of(endpoint, deployed)
    return require_passed(words(release), check_endpoint(settings, api, identity, subject, deployed, share))


def subject_of(settings: Settings, store: Store, prefix: str, known: Sequence[Known]) -> Subject:
    """Return what is known of a model that lies under a prefix of the store. Raises ServingError."""
    return Subject(
        stored_recorded(store, prefix),
        stored_interfaces(store, prefix),
        known,
        settings.serving.latency_ms,
        settings.serving.max_rows,
        is_ours=not settings.endpoint.image,
        is_direct=False,
    )


def name_in(settings: Settings, store: Store, release: Release, model: str) -> str:
    """Return the name of a model's folder in the store. Raises ServingError if it lies elsewhere."""
    if not model.startswith(store.uri + "/"):
        raise ServingError(
            f"release {release.id}: its model {model or 'is not known, and'} does not lie below {store.uri}.\n"
            f"Expected a blessed model that its run pushed there. Run: make deploy FORCE=1 ENV={settings.selected}"
        )
    return model[len(store.uri) + 1 :].rstrip("/")


def words(release: Release) -> str:
    return f"release {release.origin} on Vertex AI"


def serves_no_other(endpoint: Json, release: Release, version: str) -> bool:
    """Return whether nothing is deployed, or this version has all traffic, so that it can be asked there."""
    own = find_deployed(endpoint, release, version)
    return not deployed_models(endpoint) or (own is not None and share_of(endpoint, own) == 100)


def smoke_serving(
    settings: Settings, api: Api, model: str, release: Release, subject: Subject, endpoint: Json
) -> SmokeResult:
    """Ask a release's model where it serves. One that was deployed only now does not stay if it fails."""
    identity, is_new = serving_id(settings), find_deployed(endpoint, release, version_of(model)) is None
    limit_s = time.monotonic() + DEPLOY_S
    try:
        hold_log(settings, api, endpoint, [{"model": model, "modelVersionId": version_of(model)}])
        operation = begin_deploy(settings, api, identity, model, release, serve=True)
        deployed = end_deploy(settings, api, identity, model, release, operation, limit_s)
        return require_passed(words(release), check_endpoint(settings, api, identity, subject, deployed))
    except ServingError:
        if is_new:
            withdraw(settings, api, identity, model, release)
        raise


def smoke_beside(
    settings: Settings, api: Api, model: str, release: Release, subject: Subject, endpoint: Json
) -> SmokeResult:
    """Deploy beside the model that serves and to the endpoint for checks, ask there, and clear that endpoint."""
    check = check_id(settings)
    clear(settings, api, check, made_endpoint(settings, api, check), version_of(model), release)
    clear(settings, api, serving_id(settings), endpoint, version_of(model), release)
    try:
        deployed = deploy_both(settings, api, model, release)
        result = require_passed(words(release), check_endpoint(settings, api, check, subject, deployed[check]))
    except ServingError:
        withdraw(settings, api, check, model, release)
        withdraw(settings, api, serving_id(settings), model, release)
        raise
    undeploy(settings, api, check, deployed[check])
    return result


def clear(settings: Settings, api: Api, identity: str, endpoint: Json, version: str, release: Release) -> None:
    """Undeploy what interrupted smoke tests have left: other versions of the release; where checks are, all others."""
    for deployed in sorted(deployed_models(endpoint), key=partial(share_of, endpoint)):
        own = deployed.get("displayName") == release.origin
        unused = identity == check_id(settings) or (own and not share_of(endpoint, deployed))
        if unused and not (own and deployed.get("modelVersionId") == version):
            undeploy(settings, api, identity, deployed)


def deploy_both(settings: Settings, api: Api, model: str, release: Release) -> Dict[str, Json]:
    """Deploy to both endpoints at the same time and return each one's deployed model, once both came to an end."""
    wanted, limit_s = {check_id(settings): True, serving_id(settings): False}, time.monotonic() + DEPLOY_S
    operations = {
        identity: begin_deploy(settings, api, identity, model, release, serve=serve)
        for identity, serve in wanted.items()
    }
    deployed: Dict[str, Json] = {}
    failures: List[EsteiraError] = []
    for identity, operation in operations.items():
        try:
            deployed[identity] = end_deploy(settings, api, identity, model, release, operation, limit_s)
        except EsteiraError as error:
            failures.append(error)
    if failures:
        # One that is not known to have failed is what the next try goes on with.
        raise next((error for error in failures if not isinstance(error, ServingError)), failures[0])
    return deployed


def withdraw(settings: Settings, api: Api, identity: str, model: str, release: Release) -> None:
    """Undeploy a candidate, unless others are deployed and it has traffic."""
    endpoint = find_endpoint(settings, api, identity) or {}
    deployed = find_deployed(endpoint, release, version_of(model))
    if deployed and (len(deployed_models(endpoint)) == 1 or not share_of(endpoint, deployed)):
        undeploy(settings, api, identity, deployed)


def check_endpoint(
    settings: Settings, api: Api, identity: str, subject: Subject, deployed: Json, share: int = 100
) -> SmokeResult:
    """Return the checks of what the endpoint answers, passed or not; that `deployed` does is one of them.

    With a share of the traffic, in per cent, each question is put again until that one answers it, as far as
    chance goes.
    """
    times = times_to_ask(share)
    try:
        checks = [check_deployed(settings, api, identity, subject, deployed, share)]
        checks += check_model(EndpointProbe(settings, api, identity, deployed["id"], times), subject)
    except GoogleError as error:
        # 400 and 500 are what Vertex AI makes of a model's own refusal and failure.
        if error.status not in (400, 500):
            raise
        raise ServingError(f"endpoint {identity}: the model does not answer: {error}") from None
    return SmokeResult(tuple(checks))


def check_deployed(settings: Settings, api: Api, identity: str, subject: Subject, deployed: Json, share: int) -> Check:
    """Ask until the deployed model answers, as often as its share of the traffic has it, and compare who did."""
    expected = [deployed["id"], deployed["modelVersionId"]]
    for _ in range(times_to_ask(share)):
        answered = ask(settings, api, identity, subject.recorded.instances)
        if answered.deployed_id == deployed["id"]:
            break
    check = compared("deployed model and version", expected, [answered.deployed_id, answered.version])
    told = "" if share == 100 else f"; it has {share} % of the traffic, and was asked until it answered"
    return replace(check, observed=check.observed + told) if check.passed else check


def times_to_ask(share: int) -> int:
    """Return how many requests it takes until a model with this share of the traffic answers, but for BY_CHANCE."""
    return 1 if share == 100 else math.ceil(math.log(BY_CHANCE) / math.log(1 - share / 100))
