"""What brings messages to workers: all that the API and the workers ask of a queue.

A message says only that there is work. So a carrier may lose one, bring it late or bring it twice, and any queue will
do: Celery's, on Redis or RabbitMQ, or ARQ's.
"""

from collections.abc import Mapping
from typing import Protocol

from darkroom.errors import BrokerUnavailable


class Carrier(Protocol):
    """All but `close` raise BrokerUnavailable, within seconds. Safe to share between threads."""

    def send(self, task: str, kwargs: Mapping[str, str | None]) -> None:
        """To the queue that `queues.queue_of` names."""

    def length(self, queue: str) -> int:
        """Messages that no worker has taken yet. 0 for a queue that nothing was sent to."""

    def check(self) -> None: ...

    def close(self) -> None: ...


def broker_unavailable(error: Exception) -> BrokerUnavailable:
    return BrokerUnavailable(
        f"The message broker does not answer ({type(error).__name__}). Try again in a few seconds."
    )
