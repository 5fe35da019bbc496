"""The one Celery application. Producers use it as it is; workers add their tasks to one of their own."""

import socket
from collections.abc import Sequence
from typing import Any

from celery import Celery, signals

from darkroom import log
from darkroom.messages.broker_url import default_broker_url, tls_of, without_tls_options
from darkroom.messages.queues import CPU_QUEUE, queue_of
from darkroom.settings import Settings


def make_app(settings: Settings, served: Sequence[str] = (CPU_QUEUE,)) -> Celery:
    """Does not touch the network yet. A worker started without `-Q` takes from the queues in `served`."""
    broker_url = settings.broker_url or default_broker_url(settings.redis_url)
    app = Celery("darkroom", broker=without_tls_options(broker_url), set_as_current=True)
    app.conf.update(
        broker_use_ssl=tls_of(broker_url) or False,
        # JSON, and nothing else: a pickled message would run code of whoever reaches the broker.
        task_serializer="json",
        accept_content=["json"],
        # Results live in the job store.
        task_ignore_result=True,
        task_routes=(_route,),
        task_default_queue=CPU_QUEUE,
        # Declared just as Celery declares a queue that a route or `-Q` names.
        task_queues={name: {"exchange": name, "routing_key": name} for name in served},
        # A message counts as done when its work is, and a worker takes no more than it has room for.
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        worker_pool="threads",
        worker_consumer="darkroom.messages.consumer:ForgetfulConsumer",
        # After a lost connection Celery takes fewer messages, and raises their number again where a task is
        # acknowledged: in that task's thread, while the main thread reads from the same connection. Both can wait for
        # an answer that the other one has read, until RabbitMQ misses heartbeats. See docs/decisions/0016.
        worker_enable_prefetch_count_reduction=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        # Flower sees tasks without anybody having to remember `-E`.
        worker_send_task_events=True,
        # Costs a second message at each wake-up.
        task_send_sent_event=settings.flower,
        broker_connection_retry_on_startup=True,
        # A channel that RabbitMQ closes, and a Redis that is full, are no reason to end either.
        broker_channel_error_retry=True,
        # Workers wait for their broker however long it is away: a night's outage needs no one to start them again.
        broker_connection_max_retries=None,
        broker_connection_timeout=2,
        # A client waits for its wake-up to be published, so this must fail soon.
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2},
        broker_transport_options=_transport_options(settings),
        timezone="UTC",
    )
    return app


def log_plainly(settings: Settings) -> None:
    """Our log in place of Celery's own."""
    signals.setup_logging.connect(lambda **_: log.configure(settings), weak=False)


def uses_rabbitmq(settings: Settings) -> bool:
    return (settings.broker_url or "").startswith(("amqp", "pyamqp"))


def _route(name: str, _args: object, kwargs: dict[str, Any], _options: object, **_: object) -> dict[str, str]:
    """What Celery asks; see queues.queue_of for the answer."""
    return {"queue": queue_of(name, kwargs)}


def _transport_options(settings: Settings) -> dict[str, Any]:
    """For Redis only: RabbitMQ's transport would not know these words."""
    if uses_rabbitmq(settings):
        return {}
    return {
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "socket_keepalive": True,
        "socket_keepalive_options": _keepalive(),
        "health_check_interval": 30,
        # A lost worker's wake-ups come back after this. It may be long: the housekeeper does not wait for them,
        # and a wake-up that comes twice finds another job, or none.
        "visibility_timeout": 3600,
    }


def _keepalive() -> dict[int, int]:
    """A worker only listens, so nothing else tells it that the other end is gone without a word.

    With what Linux does of itself, it would take two hours instead of a minute.
    """
    seconds = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
    return {getattr(socket, name): value for name, value in seconds.items() if hasattr(socket, name)}
