import socket

import pytest

from esteira.errors import ServingError
from esteira.serving.listen import listen, url_of

pytestmark = pytest.mark.loopback


def test_a_free_port_is_found_and_told_in_the_url() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert url_of(listener) == f"http://127.0.0.1:{port}"
        # Clients can connect before the server is ready.
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_port_in_use_names_the_setting_and_another_port() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ServingError) as told:
            listen("127.0.0.1", port)
    free = port + 1 if port < 65535 else 8501
    assert str(told.value) == (
        f"serving.port: {port} on 127.0.0.1 is in use by another program.\n"
        "Expected a free port. Stop that program, or choose another port: "
        f"make serve PORT={free} (or set ESTEIRA_SERVING_PORT={free})"
    )


def test_an_address_of_another_machine_names_the_setting() -> None:
    # 192.0.2.0/24 is kept for documentation by RFC 5737.
    with pytest.raises(ServingError, match=r"serving\.host: cannot listen on 192\.0\.2\.1, port 0"):
        listen("192.0.2.1", 0)
