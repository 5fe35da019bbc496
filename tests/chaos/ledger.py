"""What the clients of a run saw with their own eyes, and may hold the service to."""

from dataclasses import dataclass, field


@dataclass
class Order:
    """A request, and what became of it as far as its client was told. Filled in by the client as it learns more."""

    request: int
    """Position in the pool."""
    key: str
    """The Idempotency-Key."""
    job_ids: set[str] = field(default_factory=set)
    """Every id that this key was answered with; more than one is a job made twice."""
    is_poison: bool = False
    """Not of the pool, but the request that kills its workers."""
    accepted_at: float = 0
    """Seconds since the epoch."""
    canceled: bool = False
    """A cancel was answered with `canceled`."""
    deleted: bool = False
    """A delete was answered with 204, or 404 when repeated."""
    watched: bool = False
    ends_seen: int = 0
    """Final events that its watcher was sent."""

    @property
    def is_accepted(self) -> bool:
        return bool(self.job_ids)


@dataclass
class Ledger:
    orders: list[Order] = field(default_factory=list)
    refused: int = 0
    """Answers 503 or 429, which a client tries again after."""
    cut: int = 0
    """Requests without an answer, which a client sends again with the same key."""
    surprises: list[str] = field(default_factory=list)
    """Answers that no client should ever get."""

    @property
    def accepted(self) -> list[Order]:
        return [order for order in self.orders if order.is_accepted]
