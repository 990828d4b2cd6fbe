"""Taking the port before anything slow happens."""

import errno
import socket

from esteira.errors import ServingError

BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket; port 0 takes any free one. Raises ServingError.

    From now on clients can connect; they wait for their answer until the server is ready.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise ServingError(
            f"serving.host: {host}: no such host: {error.strerror}.\n"
            "Expected 127.0.0.1 or another address of this machine. Unset ESTEIRA_SERVING_HOST"
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        # A port whose last connections are still closing can be taken again at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ServingError(bind_failure(host, port, error)) from None
    return listener


def bind_failure(host: str, port: int, error: OSError) -> str:
    """Return what hinders and which setting moves it."""
    free = port + 1 if port < 65535 else 8501
    choose = f"make serve PORT={free} (or set ESTEIRA_SERVING_PORT={free})"
    if error.errno == errno.EADDRINUSE:
        return (
            f"serving.port: {port} on {host} is in use by another program.\n"
            f"Expected a free port. Stop that program, or choose another port: {choose}"
        )
    if error.errno == errno.EACCES:
        return f"serving.port: {port} may not be used by this user.\nExpected 1024 or more: make serve PORT=8501"
    return (
        f"serving.host: cannot listen on {host}, port {port}: {error.strerror}.\n"
        "Expected 127.0.0.1 or another address of this machine. Unset ESTEIRA_SERVING_HOST"
    )


def url_of(listener: socket.socket) -> str:
    """Return the URL at which the socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
