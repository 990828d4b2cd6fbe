"""Where a registry's API answers, and under which name its credentials are kept."""

import ipaddress

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


def credentials_key(host: str) -> str:
    """Return the name under which Docker's config.json and its helpers keep a registry's credentials."""
    return DOCKER_HUB_KEY if host == DOCKER_HUB else host


def is_loopback(host: str) -> bool:
    """Return whether host[:port] is this machine, by name or address."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_google(host: str) -> bool:
    """Return whether a registry is Google's, so that gcloud knows its credentials."""
    return host.endswith((".pkg.dev", ".gcr.io")) or host == "gcr.io"
