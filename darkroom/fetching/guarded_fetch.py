"""Fetches what a client's URL leads to, without being led inside: address, time, size and type are bounded.

For input images, and for whoever else follows a URL that comes from outside. Blocking: call it in a thread.
"""

import ssl
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpcore
import httpx

from darkroom.errors import UrlForbidden, UrlTooLarge, UrlUnreachable, UrlWrongType
from darkroom.fetching.guarded_network import Deadline, GuardedNetwork, Origin, Resolver, resolve

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_REDIRECTS = 5
LONGEST_URL = 4096
LAST_PORT = 65_535
SCHEMES = frozenset({"http", "https"})
# A server that says nothing for this long has had its time.
SILENCE_S = 10.0
TIMEOUTS = {"connect": SILENCE_S, "read": SILENCE_S, "write": SILENCE_S, "pool": SILENCE_S}


@dataclass(frozen=True)
class Limits:
    max_bytes: int
    content_types: frozenset[str]
    """In lower case, without parameters."""
    timeout_s: float = 30.0
    """From the first name that is looked up to the last byte, redirects included."""


@dataclass(frozen=True)
class Fetched:
    body: bytes = field(repr=False)
    content_type: str


class GuardedFetch:
    """`inside` are origins that may be plain HTTP and lie at any address: the operator's own stores."""

    def __init__(
        self,
        inside: tuple[str, ...] = (),
        *,
        resolver: Resolver = resolve,
        network: httpcore.NetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inside = frozenset(origin(httpx.URL(url)) for url in inside)
        self._resolver = resolver
        self._network = network or httpcore.SyncBackend()
        self._tls = tls
        self._clock = clock

    def get(self, url: str, limits: Limits) -> Fetched:
        """Follows redirects, each checked like the first.

        Raises UrlForbidden, UrlUnreachable, UrlTooLarge, UrlWrongType.
        """
        deadline = Deadline(limits.timeout_s, self._clock)
        target = checked_url(url, self._inside)
        for _ in range(MOST_REDIRECTS + 1):
            with self._answer_of(target, deadline) as answer:
                location = _header(answer, b"location")
                if answer.status not in REDIRECTS or not location:
                    return _read(answer, target, limits)
            target = checked_url(location, self._inside, base=target)
        raise UrlUnreachable(f"The URL redirects more than {MOST_REDIRECTS} times. Give the address it ends at.")

    @contextmanager
    def _answer_of(self, url: httpx.URL, deadline: Deadline) -> Iterator[httpcore.Response]:
        """The beginning of the answer; its body is to be read."""
        network = GuardedNetwork(deadline, self._inside, self._resolver, self._network)
        # Without a proxy, and for this request alone: a connection that were kept would have been checked for another.
        pool = httpcore.ConnectionPool(ssl_context=self._tls, retries=0, network_backend=network)
        headers: list[tuple[bytes | str, bytes | str]] = [
            ("Host", url.netloc), ("User-Agent", "darkroom"), ("Accept-Encoding", "identity"),
        ]  # fmt: skip
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        try:
            with pool, pool.stream("GET", target, headers=headers, extensions={"timeout": TIMEOUTS}) as answer:
                yield answer
        except httpcore.TimeoutException as error:
            raise UrlUnreachable(f"{url.host[:80]} took too long. Try again later, or upload the data.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
            reason = "Check the URL and its certificate, or upload the data."
            raise UrlUnreachable(f"Fetching from {url.host[:80]} broke off. {reason}") from error


def checked_url(url: str, inside: Collection[Origin], base: httpx.URL | None = None) -> httpx.URL:
    """As far as it can be told without a look at its address. Raises UrlForbidden."""
    try:
        if len(url) > LONGEST_URL:
            raise httpx.InvalidURL("too long")
        target = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        target = httpx.URL()
    if target.scheme not in SCHEMES or not target.host or (target.port or 0) > LAST_PORT:
        raise UrlForbidden("The URL cannot be used. Give an address such as https://example.com/cat.png.")
    if target.userinfo:
        raise UrlForbidden("The URL carries a name or password. Leave them out, or upload the data instead.")
    if target.scheme != "https" and origin(target) not in inside:
        raise UrlForbidden("The URL is not https. Give an https address, or upload the data instead.")
    return target


def origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or {"http": 80}.get(url.scheme, 443)


def _read(answer: httpcore.Response, url: httpx.URL, limits: Limits) -> Fetched:
    if answer.status != 200:
        raise UrlUnreachable(f"{url.host[:80]} answers with status {answer.status} there. Check the URL.")
    content_type = _header(answer, b"content-type").partition(";")[0].strip().lower()
    if content_type not in limits.content_types or _header(answer, b"content-encoding") not in {"", "identity"}:
        known = ", ".join(sorted(limits.content_types))
        raise UrlWrongType(
            f"The URL leads to {content_type[:80] or 'data of no known type'}; it must be one of {known}."
        )
    announced = _header(answer, b"content-length")
    too_large = UrlTooLarge(f"What the URL leads to is larger than {limits.max_bytes} bytes. Give a smaller one.")
    if announced.isdigit() and int(announced[:18]) > limits.max_bytes:
        raise too_large
    body = bytearray()
    for part in answer.iter_stream():
        body += part
        if len(body) > limits.max_bytes:
            raise too_large
    return Fetched(bytes(body), content_type)


def _header(answer: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for known, value in answer.headers if known.lower() == name), "")
