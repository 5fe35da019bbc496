import socket

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import dumps, loads

from darkroom.messages.celery_app import make_app
from darkroom.messages.celery_carrier import CeleryCarrier
from darkroom.messages.queues import FOLLOW_UP, GENERATE, model_of, queue_of
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings
from tests.queued import queued
from tests.servers import RedisServer


@pytest.mark.parametrize(
    ("task", "kwargs", "queue"),
    [
        (GENERATE, {"model": "minilab", "cause": "1"}, "gpu.minilab"),
        (GENERATE, {"model": "sd3.5-large"}, "gpu.sd3.5-large"),
        (FOLLOW_UP, {"job_id": "1"}, "cpu"),
        ("celery.ping", {}, "cpu"),
    ],
)
def test_only_wakeups_go_to_gpu_queues(task: str, kwargs: dict[str, str], queue: str) -> None:
    assert queue_of(task, kwargs) == queue
    assert make_app(Settings()).amqp.router.route({}, task, kwargs=kwargs)["queue"].name == queue


@pytest.mark.parametrize(("queue", "model"), [("gpu.minilab", "minilab"), ("gpu.a.b", "a.b"), ("cpu", None)])
def test_a_gpu_queue_names_its_model(queue: str, model: str | None) -> None:
    assert model_of(queue) == model


def test_a_wakeup_says_which_model_and_for_flower_which_job(settings: Settings, redis_url: str) -> None:
    app = make_app(settings)

    Wakeups(CeleryCarrier(app)).wake("minilab", "0" * 28)

    assert queued(redis_url, "gpu.minilab") == [{"model": "minilab", "cause": "0" * 28}]
    app.close()


def test_nothing_but_json_is_taken() -> None:
    accepted = make_app(Settings()).conf.accept_content
    body, content_type, encoding = dumps({"harmless": True}, serializer="pickle")  # type: ignore[no-untyped-call]

    assert accepted == ["json"]
    with pytest.raises(ContentDisallowed):
        loads(body, content_type, encoding, accept=accepted)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("settings", "broker"),
    [
        (Settings(redis_url="redis://host:6379/0"), "redis://host:6379/1"),
        (Settings(redis_url="unix:///run/redis.sock?db=0"), "redis+socket:///run/redis.sock?virtual_host=1"),
        (Settings(broker_url="amqp://guest@host//"), "amqp://guest@host//"),
    ],
)
def test_the_broker_is_the_job_store_s_redis_unless_a_url_says_otherwise(settings: Settings, broker: str) -> None:
    assert make_app(settings).conf.broker_url == broker


def test_a_worker_that_is_told_no_queue_serves_what_its_kind_does() -> None:
    app = make_app(Settings(), served=["gpu.a", "gpu.b"])

    assert list(app.amqp.queues.consume_from) == ["gpu.a", "gpu.b"]
    assert list(make_app(Settings()).amqp.queues.consume_from) == ["cpu"]


@pytest.mark.redis
def test_a_worker_s_connection_notices_within_a_minute_that_the_other_end_is_gone(redis_server: RedisServer) -> None:
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    app = make_app(Settings(redis_url=redis_server.url))
    with app.connection_for_read() as connection:
        redis = connection.channel().client.connection_pool.get_connection()
        redis.connect()
        idle_s, every_s, tries = (redis._sock.getsockopt(socket.IPPROTO_TCP, option) for option in options)
        redis.disconnect()
    app.close()

    assert idle_s + every_s * tries <= 60
