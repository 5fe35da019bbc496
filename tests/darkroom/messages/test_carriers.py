"""What every carrier does, whatever carries. One whose library is not installed here is tested where it is."""

import importlib.util
import time
from collections.abc import Iterator

import pytest

from darkroom.errors import BrokerUnavailable, Misconfigured
from darkroom.messages.carrier import Carrier
from darkroom.messages.opening import open_carrier
from darkroom.messages.queues import CPU_QUEUE, FOLLOW_UP, GENERATE, gpu_queue
from darkroom.settings import Settings
from tests.queued import queued
from tests.servers import free_port

WITHIN_S = 5
JOB = "0" * 28


@pytest.fixture(params=["celery", "arq"])
def queue(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    if kind == "celery" and not importlib.util.find_spec("celery"):
        pytest.skip("Celery is not installed here; `make test` has it.")
    return kind


@pytest.fixture
def carrier(queue: str, settings: Settings) -> Iterator[Carrier]:
    carrier = open_carrier(settings.model_copy(update={"queue": queue}))
    yield carrier
    carrier.close()


@pytest.fixture
def unreachable(queue: str) -> Iterator[Carrier]:
    url = f"redis://127.0.0.1:{free_port()}/0"
    carrier = open_carrier(Settings.model_validate({"broker_url": url, "queue": queue}))
    yield carrier
    carrier.close()


def test_each_message_waits_in_the_queue_of_its_task(carrier: Carrier, redis_url: str) -> None:
    carrier.send(GENERATE, {"model": "minilab", "cause": JOB})
    carrier.send(GENERATE, {"model": "sdxl", "cause": None})
    carrier.send(FOLLOW_UP, {"job_id": JOB})

    assert queued(redis_url, "gpu.minilab") == [{"model": "minilab", "cause": JOB}]
    assert queued(redis_url, "gpu.sdxl") == [{"model": "sdxl", "cause": None}]
    assert queued(redis_url, "cpu") == [{"job_id": JOB}]


def test_a_queue_is_as_long_as_messages_wait_in_it(carrier: Carrier) -> None:
    for _ in range(3):
        carrier.send(GENERATE, {"model": "minilab", "cause": JOB})

    assert [carrier.length(queue) for queue in (gpu_queue("minilab"), gpu_queue("sdxl"), CPU_QUEUE)] == [3, 0, 0]


def test_a_broker_that_is_there_is_found(carrier: Carrier) -> None:
    carrier.check()


def test_a_broker_that_is_down_is_told_of_within_seconds(unreachable: Carrier) -> None:
    for act in (
        lambda: unreachable.send(FOLLOW_UP, {"job_id": JOB}),
        lambda: unreachable.length(CPU_QUEUE),
        unreachable.check,
    ):
        began_s = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="Try again"):
            act()
        assert time.monotonic() - began_s < WITHIN_S


@pytest.mark.parametrize(
    ("broker", "reason"),
    [
        ("amqp://guest:guest@host//", "ARQ runs on Redis alone"),
        ("amqps://guest:guest@host//", "ARQ runs on Redis alone"),
        ("redis://one/0;redis://other/0", "ARQ knows one broker"),
    ],
)
def test_arq_is_refused_on_a_broker_that_it_cannot_use(broker: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Settings.model_validate({"broker_url": broker, "queue": "arq"})

    assert Settings.model_validate({"broker_url": broker, "queue": "celery"}).broker_url == broker


@pytest.mark.skipif(bool(importlib.util.find_spec("celery")), reason="Celery is installed here.")
def test_without_celery_its_carrier_is_refused_with_what_to_install() -> None:
    with pytest.raises(Misconfigured, match=r"pip install 'darkroom\[celery\]'"):
        open_carrier(Settings.model_validate({"queue": "celery"}))
