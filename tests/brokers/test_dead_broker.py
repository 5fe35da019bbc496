"""A client waits for its wake-up to be published, so a broker that is away must show within seconds."""

import time
from collections.abc import Callable, Iterator

import pytest

from darkroom.errors import BrokerUnavailable
from darkroom.messages.celery_app import make_app
from darkroom.messages.celery_carrier import CeleryCarrier
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from tests.servers import RedisServer, free_port

WITHIN_S = 5

Act = Callable[[Wakeups], object]

ACTS = [
    pytest.param(lambda wakeups: wakeups.wake("minilab"), id="wake"),
    pytest.param(lambda wakeups: wakeups.follow_up("0" * 28), id="follow_up"),
    pytest.param(lambda wakeups: wakeups.pending("minilab"), id="pending"),
    pytest.param(lambda wakeups: wakeups.check(), id="check"),
]


@pytest.fixture(params=["redis://127.0.0.1:{port}/0", "amqp://guest:guest@127.0.0.1:{port}//"])
def unreachable(request: pytest.FixtureRequest) -> Iterator[Wakeups]:
    app = make_app(Settings(broker_url=request.param.format(port=free_port())))
    yield Wakeups(CeleryCarrier(app))
    app.close()


@pytest.mark.parametrize("act", ACTS)
def test_a_broker_that_is_down_is_told_of_within_seconds(unreachable: Wakeups, act: Act) -> None:
    started_s = time.monotonic()

    with pytest.raises(BrokerUnavailable, match="Try again"):
        act(unreachable)

    assert time.monotonic() - started_s < WITHIN_S


@pytest.mark.redis
def test_so_is_one_that_accepts_connections_and_does_not_answer(redis_server: RedisServer) -> None:
    app = make_app(Settings(redis_url=redis_server.url))
    started_s = time.monotonic()

    redis_server.process.pause()
    try:
        with pytest.raises(BrokerUnavailable):
            Wakeups(CeleryCarrier(app)).wake("minilab")
    finally:
        redis_server.process.resume()
        app.close()

    # The Redis library tries three more times on a new connection, and each waits for its answer.
    assert time.monotonic() - started_s < 5 * WITHIN_S


@pytest.mark.redis
def test_publishing_goes_on_by_itself_once_the_broker_is_back(redis_server: RedisServer) -> None:
    app = make_app(Settings(redis_url=redis_server.url))
    wakeups = Wakeups(CeleryCarrier(app))
    wakeups.wake("back-again")
    redis_server.process.kill()
    with pytest.raises(BrokerUnavailable):
        wakeups.wake("back-again")

    redis_server.process.start()

    wakeups.wake("back-again")
    wakeups.check()
    assert wakeups.pending("back-again") >= 1
    app.close()
