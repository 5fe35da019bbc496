"""Connections that go to public addresses alone, and end in time. Knows no HTTP.

A name is resolved once, its addresses are checked, and one of just those is connected to: a resolver that says
something else a moment later is not asked again. TLS still checks the certificate against the name.
"""

import socket
import ssl
from collections.abc import Callable, Iterable

import httpcore

from darkroom.errors import UrlForbidden, UrlUnreachable
from darkroom.fetching.addresses import is_public

Resolver = Callable[[str, int], list[str]]
"""Host and port to addresses, the one to try first in front. Raises OSError."""

Origin = tuple[str, str, int]
"""Scheme, host, port."""

SocketOptions = Iterable[httpcore.SOCKET_OPTION]

# Of a name's addresses, so many are tried.
MOST_TRIED = 3


def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver, which bounds its own time."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Deadline:
    """The end of all that is done for one URL, redirects included."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends = clock() + seconds

    def left_s(self, at_most: float | None = None) -> float:
        """Raises httpcore.ReadTimeout when nothing is left."""
        left = self._ends - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for this URL is over")
        return left if at_most is None else min(left, at_most)


class GuardedNetwork(httpcore.NetworkBackend):
    """Of one fetch. `inside` are origins that may lie anywhere."""

    def __init__(
        self, deadline: Deadline, inside: frozenset[Origin], resolver: Resolver, network: httpcore.NetworkBackend
    ) -> None:
        self._deadline = deadline
        self._inside = frozenset((host, port) for _, host, port in inside)
        self._resolve = resolver
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.NetworkStream:
        """Raises UrlForbidden, UrlUnreachable."""
        last: Exception | None = None
        for address in self._checked(host, port)[:MOST_TRIED]:
            try:
                left_s = self._deadline.left_s(timeout)
                stream = self._network.connect_tcp(address, port, left_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
            else:
                return TimedStream(stream, self._deadline)
        raise UrlUnreachable(f"{host[:80]} does not take connections. Check the URL, or try again later.") from last

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError("a fetch is not tried again")

    def _checked(self, host: str, port: int) -> list[str]:
        """Every address must be public: one among them that is not shows what the name is for."""
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise UrlUnreachable(f"The name {host[:80]} has no address. Check the URL's spelling.") from error
        if (host, port) not in self._inside and not all(map(is_public, addresses)):
            # Without the address: what lies inside is nothing to tell a client.
            raise UrlForbidden(
                f"{host[:80]} leads to an address that is not on the public internet, so it is not fetched from. "
                "Upload the data instead, or ask the operator to list its origin in DARKROOM_FETCH_ORIGINS."
            )
        return addresses


class TimedStream(httpcore.NetworkStream):
    """Each read has what is left of the whole time: httpcore's own time-outs begin anew with every byte."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s(timeout))
        return TimedStream(inner, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
