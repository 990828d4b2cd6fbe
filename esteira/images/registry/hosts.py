"""Where a registry's API answers, and under which name its credentials are kept."""

from typing import Dict, Mapping

from esteira.errors import SettingsError
from esteira.loopback import is_loopback

# For rehearsals: host=address[:port], more with commas. The API of each host is asked at that address of this
# machine, over HTTP and without credentials; images keep their names.
REGISTRY_AT = "ESTEIRA_REGISTRY_AT"

DOCKER_HUB = "docker.io"
DOCKER_HUB_API = "registry-1.docker.io"
DOCKER_HUB_KEY = "https://index.docker.io/v1/"
# Other names that Docker's own programs write for it.
DOCKER_HUB_NAMES = (DOCKER_HUB, "index.docker.io", DOCKER_HUB_API)


def api_url(host: str) -> str:
    """Return the URL of a registry's API: plain HTTP on this machine, TLS everywhere else."""
    if host == DOCKER_HUB:
        return f"https://{DOCKER_HUB_API}"
    return f"http://{host}" if is_loopback(host) else f"https://{host}"


def stand_ins(environ: Mapping[str, str]) -> Dict[str, str]:
    """Return where hosts are asked in a rehearsal, by host; SettingsError for an address that is not this machine's."""
    pairs = [pair.strip() for pair in environ.get(REGISTRY_AT, "").split(",") if pair.strip()]
    found = {}
    for pair in pairs:
        host, _, address = pair.partition("=")
        if not host or not is_loopback(address):
            raise SettingsError(
                f'{REGISTRY_AT}: has "{pair}". Expected a registry\'s host and an address of this machine, '
                "such as europe-west1-docker.pkg.dev=127.0.0.1:5000, more with commas."
            )
        found[host] = address
    return found


def credentials_key(host: str) -> str:
    """Return the name under which Docker's config.json and its helpers keep a registry's credentials."""
    return DOCKER_HUB_KEY if host == DOCKER_HUB else host


def is_google(host: str) -> bool:
    """Return whether a registry is Google's, so that gcloud knows its credentials."""
    return host.endswith((".pkg.dev", ".gcr.io")) or host == "gcr.io"
