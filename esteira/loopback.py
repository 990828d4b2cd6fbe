"""Whether a server is on this machine, where neither TLS nor credentials are asked for."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether host[:port] is this machine, by name or address."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
