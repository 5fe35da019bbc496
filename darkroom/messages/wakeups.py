"""What is said through the queues, in our words. Knows nothing of who carries it, or of what the tasks do."""

from darkroom.messages.carrier import Carrier
from darkroom.messages.queues import CPU_QUEUE, FOLLOW_UP, queue_of, wakeup_of


class Wakeups:
    """All but `close` raise BrokerUnavailable."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def wake(self, model: str, cause: str | None = None) -> None:
        """Say that there is work for a model; `cause` is the job to show in Flower."""
        self._carrier.send(wakeup_of(model), {"model": model, "cause": cause})

    def follow_up(self, job_id: str) -> None:
        """Ask a CPU worker for a job's follow-up work."""
        self._carrier.send(FOLLOW_UP, {"job_id": job_id})

    def pending(self, model: str) -> int:
        """Wake-ups that no worker has taken yet."""
        return self._carrier.length(queue_of(wakeup_of(model), {"model": model}))

    def pending_follow_ups(self) -> int:
        """Messages for follow-up work that no worker has taken yet."""
        return self._carrier.length(CPU_QUEUE)

    def check(self) -> None:
        self._carrier.check()

    def close(self) -> None:
        self._carrier.close()
