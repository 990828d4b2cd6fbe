"""What `make doctor` looks at on this machine: gcloud, the credentials, the way to Google, the clock."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Iterator, List, Mapping, Tuple

from esteira.doctor.finding import CREDENTIALS, Finding, failed
from esteira.doctor.programs import INSTALL_GCLOUD
from esteira.errors import GoogleError, ProgramError
from esteira.google.addresses import is_local_url
from esteira.google.api import Api
from esteira.google.connections import told
from esteira.google.login import Login
from esteira.process import run_program

ASKED = ("aiplatform", "artifactregistry", "bigquery", "cloudbuild", "iam", "logging", "serviceusage", "storage")
# https://cloud.google.com/docs/authentication/token-types#access
TOKEN_INFO = "https://oauth2.googleapis.com/tokeninfo"
ANSWER_S = 10.0
# Tokens are signed with the time, and Google refuses those of another hour.
SKEW_S = 60.0


def check_gcloud(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether gcloud is installed: builds are submitted with it."""
    try:
        versions = json.loads(run_program(["gcloud", "version", "--format=json"], env=environ, timeout_s=60))
    except (ProgramError, ValueError) as error:
        yield Finding("gcloud", False, str(error).splitlines()[0], INSTALL_GCLOUD)
        return
    yield Finding("gcloud", True, str(versions.get("Google Cloud SDK", "of no version")))


def check_credentials(api: Api, token_info: str = TOKEN_INFO) -> Iterator[Finding]:
    """Yield whether there are credentials, and whose: gcloud is given the same to submit builds with."""
    if is_local_url(api.base("serviceusage")):
        yield Finding(CREDENTIALS, True, "none are needed for servers on this machine")
        return
    try:
        token = Login(api.environ).token()
    except GoogleError as error:
        yield failed(CREDENTIALS, error)
        return
    account = account_of(token, token_info)
    yield Finding(CREDENTIALS, True, f"of {account}" if account else "there are some")


def account_of(token: str, url: str) -> str:
    """Return whose a token is, "" if Google does not tell."""
    import requests

    try:
        answer = requests.post(url, data={"access_token": token}, timeout=ANSWER_S)
        return str(answer.json().get("email", ""))
    except (requests.RequestException, ValueError):
        return ""


def check_hosts(api: Api) -> Iterator[Finding]:
    """Yield which servers cannot be reached; one line if all can."""
    urls = sorted({api.base(name) for name in ASKED})
    if not is_local_url(api.base("serviceusage")):
        urls += [f"https://{api.region}-docker.pkg.dev/v2/", TOKEN_INFO]
    with ThreadPoolExecutor(len(urls)) as pool:
        reached = list(pool.map(reach, urls))
    faults = [fault for fault, _ in reached if fault]
    remedy = "Check the network, and HTTPS_PROXY where there is a proxy"
    for fault in faults:
        yield Finding("network", False, fault, remedy)
    if not faults:
        yield Finding("network", True, f"all {len(urls)} servers answer")


def reach(url: str) -> Tuple[str, str]:
    """Return why a server does not answer, "" if it does, and its time. Any answer will do."""
    import requests

    session = requests.Session()
    session.trust_env = not is_local_url(url)
    try:
        answer = session.get(url, timeout=ANSWER_S, allow_redirects=False)
    except requests.RequestException as error:
        return f"{url}: {told(error)}", ""
    finally:
        session.close()
    return "", answer.headers.get("Date", "")


def check_clock(api: Api) -> Iterator[Finding]:
    """Yield whether this machine's clock is right: what it signs is refused otherwise."""
    before = time.time()
    fault, date = reach(api.base("serviceusage"))
    skews: List[float] = []
    if date:
        skews = [(before + time.time()) / 2 - parsedate_to_datetime(date).timestamp()]
    if fault or not skews:
        yield Finding("clock", None, "not checked: no server told its time")
    elif abs(skews[0]) > SKEW_S:
        said = f"{abs(skews[0]):,.0f} s {'ahead of' if skews[0] > 0 else 'behind'} Google's"
        yield Finding("clock", False, said, "Set the clock, or have it set: sudo timedatectl set-ntp true")
    else:
        yield Finding("clock", True, f"within {SKEW_S:.0f} s of Google's")
