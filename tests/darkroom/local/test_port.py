"""Finding out that a port is busy before anything has started."""

import socket

import pytest

from darkroom.errors import Misconfigured
from darkroom.local.port import any_free, is_free, require_free


def test_a_busy_port_is_named_with_the_way_to_choose_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(Misconfigured, match=rf"Port {port} on 127\.0\.0\.1 is in use.*--port.*DARKROOM_PORT"):
            require_free("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Misconfigured, match=r"192\.0\.2\.1 cannot be listened on"):
        require_free("192.0.2.1", 8000)


def test_a_preferred_port_is_taken_if_it_is_free_and_only_then() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        busy = server.getsockname()[1]
        other = any_free(preferred=busy)

    assert other != busy
    assert is_free("127.0.0.1", other)
    assert any_free(preferred=other) == other
