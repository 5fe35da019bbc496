"""Sends a POST to a client's URL, as `guarded_fetch.py` gets one: to public addresses alone, and with an end.

For asyncio, so that hundreds that hang hold no thread each. Redirects are not followed, and no answer's body is read.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import httpcore
import httpx

from darkroom.errors import UrlForbidden, UrlUnreachable
from darkroom.fetching.addresses import is_public
from darkroom.fetching.guarded_fetch import checked_url, origin
from darkroom.fetching.guarded_network import MOST_TRIED, Origin, SocketOptions

AsyncResolver = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True)
class Answered:
    status: int
    retry_after_s: float | None = None


async def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedPost:
    """`inside` are origins that may be plain HTTP and lie at any address."""

    def __init__(
        self,
        inside: tuple[str, ...] = (),
        *,
        timeout_s: float = 15.0,
        resolver: AsyncResolver = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._inside = frozenset(origin(httpx.URL(url)) for url in inside)
        self._timeout_s = timeout_s
        self._network = _GuardedNetwork(self._inside, resolver, network or httpcore.AnyIOBackend())

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        """Raises UrlForbidden, UrlUnreachable."""
        target = checked_url(url, self._inside)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(target, body, headers)
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise UrlUnreachable(f"{target.host[:80]} gave no answer within {self._timeout_s:g} s.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
            raise UrlUnreachable(f"Sending to {target.host[:80]} broke off.") from error

    async def _post(self, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> Answered:
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        sent: list[tuple[bytes | str, bytes | str]] = [
            ("Host", url.netloc), ("Content-Length", str(len(body))), *headers.items(),
        ]  # fmt: skip
        # For this request alone: a connection that were kept would have been checked for another.
        async with (
            httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=self._network) as pool,
            pool.stream("POST", target, headers=sent, content=body) as answer,
        ):
            after = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
            return Answered(answer.status, float(after) if after.isdigit() else None)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Reading the system's authorities takes longer than a request.
        return ssl.create_default_context()


class _GuardedNetwork(httpcore.AsyncNetworkBackend):
    def __init__(
        self, inside: frozenset[Origin], resolver: AsyncResolver, network: httpcore.AsyncNetworkBackend
    ) -> None:
        self._inside = frozenset((host, port) for _, host, port in inside)
        self._resolve = resolver
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises UrlForbidden, UrlUnreachable."""
        for address in (await self._checked(host, port))[:MOST_TRIED]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        raise UrlUnreachable(f"{host[:80]} does not take connections.")

    async def _checked(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise UrlUnreachable(f"The name {host[:80]} has no address.") from error
        if (host, port) not in self._inside and not all(map(is_public, addresses)):
            raise UrlForbidden(f"{host[:80]} leads to an address that is not on the public internet.")
        return addresses
