"""Publishing to the queues. Knows Celery, and nothing of what the tasks do."""

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from redis import OutOfMemoryError

from darkroom.errors import BrokerUnavailable
from darkroom.messages.queues import CPU_QUEUE, FOLLOW_UP, queue_of, wakeup_of


class Wakeups:
    def __init__(self, app: Celery) -> None:
        self._app = app
        # What a broker that is down raises through kombu, and past it where a transport lets its own errors out.
        self._broker_errors = (OperationalError, OutOfMemoryError, *app.connection_for_write().connection_errors)

    def wake(self, model: str, cause: str | None = None) -> None:
        """Say that there is work for a model; `cause` is the job to show in Flower. Raises BrokerUnavailable."""
        self._send(wakeup_of(model), {"model": model, "cause": cause})

    def follow_up(self, job_id: str) -> None:
        """Ask a CPU worker for a job's follow-up work. Raises BrokerUnavailable."""
        self._send(FOLLOW_UP, {"job_id": job_id})

    def pending(self, model: str) -> int:
        """Wake-ups that no worker has taken yet. Raises BrokerUnavailable."""
        return self._length(queue_of(wakeup_of(model), {"model": model}))

    def pending_follow_ups(self) -> int:
        """Messages for follow-up work that no worker has taken yet. Raises BrokerUnavailable."""
        return self._length(CPU_QUEUE)

    def _length(self, queue: str) -> int:
        try:
            with self._app.connection_for_read() as connection, connection.channel() as channel:
                return int(channel.queue_declare(queue, passive=True).message_count)
        except ChannelError:
            return 0  # no such queue yet; Redis forgets empty ones
        except self._broker_errors as error:
            raise _unavailable(error) from error

    def check(self) -> None:
        """Raises BrokerUnavailable."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=2, interval_start=0)
        except self._broker_errors as error:
            raise _unavailable(error) from error

    def _send(self, task: str, kwargs: dict[str, str | None]) -> None:
        try:
            self._app.send_task(task, kwargs=kwargs)
        except self._broker_errors as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> BrokerUnavailable:
    return BrokerUnavailable(
        f"The message broker does not answer ({type(error).__name__}). Try again in a few seconds."
    )
