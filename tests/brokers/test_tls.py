"""Who stands between us and Redis or RabbitMQ, with a certificate that is not theirs, hears nothing."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import kombu.pools
import pytest

from darkroom.errors import BrokerUnavailable, Unavailable
from darkroom.job_store.events import EventFeed
from darkroom.job_store.redis_client import connect, redis_errors
from darkroom.messages.celery_app import make_app
from darkroom.messages.celery_carrier import CeleryCarrier
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from tests import servers
from tests.certificates import Certificate, authority, certificate
from tests.servers import ServerProcess, accepts, free_port
from tests.services import missing

HERE, ELSEWHERE = "IP:127.0.0.1", "DNS:elsewhere.example.com"
AMQP_HEADER = b"AMQP\x00\x00\x09\x01"


@dataclass(frozen=True)
class Authorities:
    folder: Path
    ours: Certificate
    another: Certificate

    def server(self, host: str = HERE) -> Certificate:
        return certificate(self.folder, host, self.ours)


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    folder = tmp_path_factory.mktemp("certificates")
    return Authorities(folder, authority(folder, "ours"), authority(folder, "another"))


def tls_redis(folder: Path, server: Certificate, trusted: Certificate) -> tuple[ServerProcess, str]:
    """A real Redis that speaks TLS alone; the URL is without what it is to be trusted by."""
    port, binary = free_port(), servers.redis_binary() or missing("No redis-server: apt-get install redis-server.")
    command = [
        binary, "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
        "--tls-cert-file", str(server.file), "--tls-key-file", str(server.key),
        "--tls-ca-cert-file", str(trusted.file), "--tls-auth-clients", "no",
    ]  # fmt: skip
    return ServerProcess(command, folder, lambda: accepts(port)), f"rediss://127.0.0.1:{port}/0"


@pytest.fixture(params=[HERE, ELSEWHERE])
def redis_of_host(
    request: pytest.FixtureRequest, authorities: Authorities, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    process, url = tls_redis(tmp_path, authorities.server(request.param), authorities.ours)
    process.start()
    yield request.param, url
    process.kill()


def job_store(url: str) -> None:
    with connect(url) as client, redis_errors():
        client.ping()


def events(url: str) -> None:
    async def read() -> None:
        feed = EventFeed(url)
        try:
            await feed.read("0" * 28)
        finally:
            await feed.close()

    asyncio.run(read())


def broker(url: str) -> None:
    publish(Settings(broker_url=url))


def broker_beside_the_job_store(url: str) -> None:
    publish(Settings(redis_url=url))


def publish(settings: Settings) -> None:
    app = make_app(settings)
    try:
        wakeups = Wakeups(CeleryCarrier(app))
        wakeups.wake("minilab")
        wakeups.check()
    finally:
        app.close()
        # Kombu keeps connections by host and port, whatever authority they trust.
        kombu.pools.reset()  # type: ignore[no-untyped-call]


Speak = Callable[[str], None]


@pytest.mark.redis
@pytest.mark.parametrize("speak", [job_store, events, broker, broker_beside_the_job_store])
def test_only_a_redis_whose_certificate_is_right_is_spoken_to(
    redis_of_host: tuple[str, str], authorities: Authorities, speak: Speak
) -> None:
    host, url = redis_of_host
    trusting_ours = f"{url}?ssl_ca_certs={authorities.ours.file}"

    with pytest.raises(Unavailable):
        speak(url)  # which trusts the system's authorities alone
    with pytest.raises(Unavailable):
        speak(f"{url}?ssl_ca_certs={authorities.another.file}")
    if host == ELSEWHERE:
        with pytest.raises(Unavailable):
            speak(trusting_ours)
    else:
        speak(trusting_ours)


@pytest.mark.parametrize(
    ("host", "trusted", "is_spoken_to"),
    [(HERE, "ours", True), (HERE, "another", False), (ELSEWHERE, "ours", False), (HERE, None, False)],
)
def test_only_a_rabbitmq_whose_certificate_is_right_is_spoken_to(
    host: str, trusted: str | None, is_spoken_to: bool, authorities: Authorities
) -> None:
    """The server only listens; a client that does not trust it says nothing at all."""
    ending = f"?ssl_ca_certs={getattr(authorities, trusted).file}" if trusted else ""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        heard = pool.submit(first_words, listener, authorities.server(host))
        url = f"amqps://guest:guest@127.0.0.1:{listener.getsockname()[1]}//{ending}"

        with pytest.raises(BrokerUnavailable):  # nobody answers here, whoever is trusted
            broker(url)

        assert heard.result(timeout=20) == (AMQP_HEADER if is_spoken_to else b"")


def first_words(listener: socket.socket, server: Certificate) -> bytes:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server.file, server.key)
    connection, _ = listener.accept()
    connection.settimeout(10)
    try:
        with context.wrap_socket(connection, server_side=True) as secured:
            return secured.recv(64)
    except ssl.SSLError:
        return b""
