"""Celery's consumer of messages, but for what becomes of those that were held when their connection was lost.

Celery 5.7 tries to put them back through the lost connection, and to acknowledge them through it when their tasks end.
With kombu's Redis transport both can raise AttributeError, which Celery takes for unrecoverable: the worker ended.
Nothing is lost by forgetting them: the broker hands them out again (RabbitMQ at once, Redis after the visibility
timeout), what they asked for is done already or owed by the job store, and a wake-up without a job ends at once.
"""

from collections.abc import Callable
from typing import Any

from celery.utils.log import get_logger
from celery.worker.consumer import Consumer

log = get_logger(__name__)


class ForgetfulConsumer(Consumer):  # type: ignore[misc]
    """Named in Celery's setting `worker_consumer`."""

    def __init__(self, *args: Any, worker_options: dict[str, Any] | None = None, **kwargs: Any) -> None:
        # They tell workers of each other's revoked tasks and clocks. We have no use for them; a hundred workers would
        # hear each other all the time, and each start would take a second longer.
        quiet = {**(worker_options or {}), "without_mingle": True, "without_gossip": True}
        super().__init__(*args, worker_options=quiet, **kwargs)

    def on_connection_error_after_connected(self, exc: BaseException) -> None:
        if self.task_consumer:
            # Asked by kombu's own emulation of channels alone; RabbitMQ puts back what a lost channel held.
            self.task_consumer.channel.do_restore = False
        super().on_connection_error_after_connected(exc)

    def call_soon_ack(self, p: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        """What a task's end has to say to the broker: `p` is a method of its message, called in the main thread."""
        return super().call_soon_ack(self._settle, p, *args, **kwargs)

    def _settle(self, settle: Any, *args: Any, **kwargs: Any) -> None:
        message = settle.__self__
        if not self._is_connected_by(message.channel):
            return
        settle(*args, **kwargs)
        if not message.acknowledged:
            # Celery has logged why. A message that stays in this worker's count would cost it a thread for good.
            self.call_soon(self._give_up, message.channel)

    def _give_up(self, channel: Any) -> None:
        """Raises ConnectionError: Celery connects anew, and counts from nothing."""
        if self._is_connected_by(channel):
            raise ConnectionError("a message could not be acknowledged")

    def _is_connected_by(self, channel: Any) -> bool:
        return self.task_consumer is not None and channel is self.task_consumer.channel
