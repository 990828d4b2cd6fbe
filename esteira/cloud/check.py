"""The quick checks before a deploy to Google Cloud: each fault with its remedy, before anything is changed."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, List, Optional, Union

from esteira.builds.submit import HINT
from esteira.cloud.bucket import wrong_region
from esteira.cloud.mirror import find_mirror
from esteira.cloud.part import read_or_none
from esteira.cloud.permissions import Need, lacking, needs, told
from esteira.cloud.services import DOMAIN, SERVICES, ProjectError, read_services
from esteira.errors import GoogleError
from esteira.google.api import Api
from esteira.google.refusals import NotFoundError, concerns_login
from esteira.settings import Settings

Check = Callable[[], List[str]]


def check_environment(settings: Settings, api: Api) -> None:
    """Look for gcloud; ask, all at once, for the project, its APIs, the bucket and where it is, and what one may do.

    Raises one GoogleError that names every fault with what to type; for credentials that are of no use,
    and a project that is not there, that one alone.
    """
    place = settings.environment
    checks: List[Check] = [lambda: api_faults(settings, api), lambda: bucket_faults(settings, api)]
    checks += [as_check(settings, api, need) for need in needs(place)]
    with ThreadPoolExecutor(len(checks)) as pool:
        outcomes = list(pool.map(attempted, checks))
    stopping = first_of_all([outcome for outcome in outcomes if isinstance(outcome, GoogleError)])
    if stopping is not None:
        raise stopping
    faults = gcloud_faults(api)
    faults += [fault for outcome in outcomes if not isinstance(outcome, GoogleError) for fault in outcome]
    # An API that is not enabled is a fault once, not again for each question that it did not answer.
    errors = [outcome for outcome in outcomes if isinstance(outcome, GoogleError)]
    is_told = any(fault.startswith("API ") for fault in faults)
    faults += [str(error) for error in errors if error.reason != "SERVICE_DISABLED" or not is_told]
    faults = list(dict.fromkeys(faults))
    if faults:
        raise GoogleError(f"ENV={settings.selected}: nothing was changed, since\n" + "\n".join(faults))


def attempted(check: Check) -> Union[List[str], GoogleError]:
    try:
        return check()
    except GoogleError as error:
        return error


def first_of_all(errors: List[GoogleError]) -> Optional[GoogleError]:
    """Return the error that makes all others follow: no credentials, or no such project."""
    for error in errors:
        if concerns_login(error):
            return error
    return next((error for error in errors if isinstance(error, ProjectError)), None)


def gcloud_faults(api: Api) -> List[str]:
    """Return that there is no gcloud, which is needed only once all else is done: it submits the build."""
    if shutil.which("gcloud", path=api.environ.get("PATH")):
        return []
    return [f"gcloud: no such program on the PATH; it submits builds. {HINT}"]


def api_faults(settings: Settings, api: Api) -> List[str]:
    disabled = [name for name, enabled in read_services(api).services.items() if not enabled]
    return [
        f"API {name}{DOMAIN} is not enabled; it {SERVICES[name]}. Run: make cloud-apply ENV={settings.selected}    "
        f"Or: gcloud services enable {name}{DOMAIN} --project={api.project}"
        for name in disabled
    ]


def bucket_faults(settings: Settings, api: Api) -> List[str]:
    place = settings.environment
    try:
        found = read_or_none(api, f"read bucket {place.bucket}", "storage", f"b/{place.bucket}")
    except GoogleError as error:
        if error.status == 403 and error.reason != "SERVICE_DISABLED":
            return []  # That it may not be read is told with the other permissions on it.
        raise
    if found is None:
        return [absent("bucket", place.bucket, settings)]
    wrong = wrong_region(found, place.region, settings.selected)
    return [f"bucket {place.bucket}: {difference}. {difference.fixed}" for difference in wrong]


def as_check(settings: Settings, api: Api, need: Need) -> Check:
    def check() -> List[str]:
        try:
            return told(lacking(api, settings.environment, need))
        except NotFoundError:
            return [absent(need.scope, need.target, settings)]

    return check


def absent(kind: str, name: str, settings: Settings) -> str:
    if find_mirror(name):
        return f"mirror {name} is not there. Make it, or take it out of environments.{settings.selected}.mirrors"
    return f"{kind} {name} is not there. Run: make cloud-apply ENV={settings.selected}"
