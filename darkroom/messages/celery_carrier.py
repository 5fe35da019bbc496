"""Celery as the carrier of messages, on Redis or RabbitMQ. Knows nothing of what the tasks do."""

from collections.abc import Mapping

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from redis import OutOfMemoryError

from darkroom.messages.carrier import broker_unavailable


class CeleryCarrier:
    def __init__(self, app: Celery) -> None:
        self._app = app
        # What a broker that is down raises through kombu, and past it where a transport lets its own errors out.
        self._broker_errors = (OperationalError, OutOfMemoryError, *app.connection_for_write().connection_errors)

    def send(self, task: str, kwargs: Mapping[str, str | None]) -> None:
        try:
            self._app.send_task(task, kwargs=dict(kwargs))
        except self._broker_errors as error:
            raise broker_unavailable(error) from error

    def length(self, queue: str) -> int:
        try:
            with self._app.connection_for_read() as connection, connection.channel() as channel:
                return int(channel.queue_declare(queue, passive=True).message_count)
        except ChannelError:
            return 0  # no such queue yet; Redis forgets empty ones
        except self._broker_errors as error:
            raise broker_unavailable(error) from error

    def check(self) -> None:
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=2, interval_start=0)
        except self._broker_errors as error:
            raise broker_unavailable(error) from error

    def close(self) -> None:
        self._app.close()
