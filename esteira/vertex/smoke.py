"""The smoke test of a release on Vertex AI: its model answers there as it did at training, before it gets traffic.

A deployed model without traffic cannot be asked: predictions go where the traffic goes, and invoke asks for a
container without a predictRoute (ModelContainerSpec.invokeRoutePrefix). So a candidate is deployed twice at the
same time: beside the model that serves, at 0 %, and to an endpoint that only checks use, where it is asked.
"""

import time
from functools import partial
from typing import Dict, List, Sequence

from esteira.errors import EsteiraError, GoogleError, ServingError
from esteira.google.api import Api, Json
from esteira.release.manifest import Release
from esteira.release.places import placed_model
from esteira.release.store.interface import Store
from esteira.serving.checks import MALFORMED, Check, check_odd_texts, check_recorded, compared, is_prediction
from esteira.serving.recorded import Recorded, stored_recorded
from esteira.serving.smoke import SmokeResult, require_passed
from esteira.settings import Settings
from esteira.vertex.deploy import DEPLOY_S, begin_deploy, end_deploy, undeploy, version_of
from esteira.vertex.endpoint import deployed_models, find_deployed, find_endpoint, made_endpoint, share_of
from esteira.vertex.model import uploaded_model
from esteira.vertex.names import check_id, serving_id
from esteira.vertex.predict import Row, ask, raw_status
from esteira.vertex.pushed import find_pushed


def smoke_release(settings: Settings, api: Api, store: Store, release: Release) -> SmokeResult:
    """Deploy a release's model, without traffic if another one serves, ask it, and return the checks.

    What was done before is found again. Raises ServingError that lists each failed check, or says why the model
    cannot be deployed: it is then undeployed; GoogleError where it is not known, and the next try goes on.
    """
    if settings.endpoint.by == "pusher":
        return smoke_pushed(settings, api, store, release)
    model_uri = placed_model(store, release.outcome.model) if release.outcome else ""
    recorded = stored_recorded(store, name_in(settings, store, release, model_uri))
    model = uploaded_model(settings, api, store, release)
    endpoint = made_endpoint(settings, api, serving_id(settings))
    if serves_no_other(endpoint, release, version_of(model)):
        return smoke_serving(settings, api, model, release, recorded, endpoint)
    return smoke_beside(settings, api, model, release, recorded, endpoint)


def smoke_pushed(settings: Settings, api: Api, store: Store, release: Release) -> SmokeResult:
    """Ask the model that TFX's Pusher has deployed in the release's run, with its traffic."""
    pushed = find_pushed(settings, api)
    recorded = stored_recorded(store, name_in(settings, store, release, pushed.artifacts))
    return require_passed(words(release), check_endpoint(settings, api, pushed.identity, recorded, pushed.deployed))


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
    settings: Settings, api: Api, model: str, release: Release, recorded: Recorded, endpoint: Json
) -> SmokeResult:
    """Ask a release's model where it serves. One that was deployed only now does not stay if it fails."""
    identity, is_new = serving_id(settings), find_deployed(endpoint, release, version_of(model)) is None
    limit_s = time.monotonic() + DEPLOY_S
    try:
        operation = begin_deploy(settings, api, identity, model, release, serve=True)
        deployed = end_deploy(settings, api, identity, model, release, operation, limit_s)
        return require_passed(words(release), check_endpoint(settings, api, identity, recorded, deployed))
    except ServingError:
        if is_new:
            withdraw(settings, api, identity, model, release)
        raise


def smoke_beside(
    settings: Settings, api: Api, model: str, release: Release, recorded: Recorded, endpoint: Json
) -> SmokeResult:
    """Deploy beside the model that serves and to the endpoint for checks, ask there, and clear that endpoint."""
    check = check_id(settings)
    clear(settings, api, check, made_endpoint(settings, api, check), version_of(model), release)
    clear(settings, api, serving_id(settings), endpoint, version_of(model), release)
    try:
        deployed = deploy_both(settings, api, model, release)
        result = require_passed(words(release), check_endpoint(settings, api, check, recorded, deployed[check]))
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
    settings: Settings, api: Api, identity: str, recorded: Recorded, deployed: Json
) -> SmokeResult:
    """Return the checks of what the endpoint answers, passed or not; that `deployed` does is one of them."""
    try:
        answered = ask(settings, api, identity, recorded.instances)
        expected = [deployed["id"], deployed["modelVersionId"]]
        checks = [compared("deployed model and version", expected, [answered.deployed_id, answered.version])]
        odd = [row for row in answered.predictions if not is_prediction(row)]
        checks.append(Check("outputs of each prediction", not odd, "label, confidence, probabilities", shape_of(odd)))
        # What follows reads the outputs by name.
        if odd:
            return SmokeResult(tuple(checks))
        checks += check_recorded(lambda instances: answered.predictions, recorded)
        checks.append(check_odd_texts(partial(ask_rows, settings, api, identity), recorded.labels))
        checks.append(check_malformed(settings, api, identity))
    except GoogleError as error:
        # 400 and 500 are what Vertex AI makes of a model's own refusal and failure.
        if error.status not in (400, 500):
            raise
        raise ServingError(f"endpoint {identity}: the model does not answer: {error}") from None
    return SmokeResult(tuple(checks))


def shape_of(odd: Sequence[Row]) -> str:
    return str(odd[0])[:200] if odd else "label, confidence, probabilities"


def ask_rows(settings: Settings, api: Api, identity: str, instances: Sequence[Row]) -> List[Row]:
    rows = ask(settings, api, identity, instances).predictions
    odd = [row for row in rows if not is_prediction(row)]
    if odd:
        raise ServingError(f"endpoint {identity}: expected label, confidence and probabilities, got {shape_of(odd)}")
    return rows


def check_malformed(settings: Settings, api: Api, identity: str) -> Check:
    """Return whether a body that is no JSON is refused as the client's fault."""
    status = raw_status(settings, api, identity, MALFORMED)
    return Check("status for a malformed body", 400 <= status < 500, "400 to 499", str(status))
