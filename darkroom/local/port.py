"""Ports to listen on: one that is asked for and must be free, or any free one."""

import errno
import socket

from darkroom.errors import Misconfigured


def is_free(host: str, port: int) -> bool:
    """Raises Misconfigured where the address is none of this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except PermissionError as error:
            raise Misconfigured(f"Port {port} may not be opened by this user; take one above 1023.") from error
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Misconfigured(f"The address {host} cannot be listened on: {error}") from error
            return False
    return True


def require_free(host: str, port: int) -> None:
    if not is_free(host, port):
        raise Misconfigured(
            f"Port {port} on {host} is in use by another program. Choose another: `darkroom up --port {port + 1}`, "
            f"or DARKROOM_PORT={port + 1} in the environment."
        )


def any_free(preferred: int = 0) -> int:
    """On loopback: the preferred one if it is free."""
    if preferred and is_free("127.0.0.1", preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
