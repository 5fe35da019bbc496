"""What the job store should hold, kept in plain Python beside it: the same rules, written a second time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

FINAL = frozenset({"succeeded", "failed", "canceled"})
CLASSES = ("interactive", "bulk")


@dataclass
class ModelJob:
    owner: str
    class_: str
    cost: float
    created_ms: int
    state: str = "queued"
    attempt: int = 0
    worker: str = ""
    failed_attempts: int = 0
    step: int = 0
    is_renewed: bool = False
    """Its worker has said that it has it."""
    is_silent: bool = False
    """Its lease has run out."""
    is_dead_letter: bool = False
    needs_follow_up: bool = False
    is_known_to_two: bool = False
    """Its Idempotency-Key was sent again."""
    word: list[str] = field(default_factory=list)
    """Types of its events, in order."""
    history: list[tuple[int, str, str]] = field(default_factory=list)

    def was_put_back(self, attempt: int, reason: str) -> bool:
        """Just so, by a call that is made again. Of the housekeeper's rounds only one is told."""
        last, _, why = self.history[-1] if self.history else (0, "", "")
        return (last, why) == (attempt, reason) and reason != "worker_lost"


@dataclass
class ModelLine:
    """One class's waiting line, by start-time fair queueing (Goyal, Vin, Cheng 1996)."""

    scores: dict[str, float] = field(default_factory=dict)
    virtual: float = 0.0
    finish_tags: dict[str, float] = field(default_factory=dict)

    def order(self) -> list[str]:
        return sorted(self.scores, key=lambda job_id: (self.scores[job_id], job_id))

    def start_tag(self, owner: str, cost: float) -> float:
        start = max(self.virtual, self.finish_tags.get(owner, 0.0))
        self.finish_tags[owner] = start + cost
        return start

    def remove(self, job_id: str) -> float:
        score = self.scores.pop(job_id)
        if not self.scores:
            self.virtual = 0.0
            self.finish_tags.clear()
        return score

    def take(self, job_id: str) -> None:
        score = self.remove(job_id)
        if self.scores:
            self.virtual = max(self.virtual, score)


class JobModel:
    def __init__(self, *, max_attempts: int, most_waiting: int, most_of_one_owner: int) -> None:
        self.jobs: dict[str, ModelJob] = {}
        self.lines = {name: ModelLine() for name in CLASSES}
        self.leftovers: set[str] = set()
        """Jobs of which a worker may store something that nobody wants any more."""
        self.keys: dict[tuple[str, str], tuple[str, str]] = {}
        """Job and fingerprint by owner and Idempotency-Key. Kept when the job is deleted."""
        self._max_attempts = max_attempts
        self._most_waiting = most_waiting
        self._most_of_one_owner = most_of_one_owner

    def in_state(self, *states: str) -> list[str]:
        return sorted(job_id for job_id, job in self.jobs.items() if job.state in states)

    def waiting(self) -> Iterator[ModelJob]:
        return (job for job in self.jobs.values() if job.state == "queued")

    def earlier(self, owner: str, key: str) -> tuple[str, str] | None:
        """What this Idempotency-Key made, unless that is deleted."""
        made = self.keys.get((owner, key))
        return made if made and made[0] in self.jobs else None

    def takes(self, owner: str) -> bool:
        own = sum(job.owner == owner for job in self.waiting())
        return len(list(self.waiting())) < self._most_waiting and own < self._most_of_one_owner

    def enqueue(self, job_id: str, job: ModelJob) -> None:
        self.jobs[job_id] = job
        line = self.lines[job.class_]
        line.scores[job_id] = line.start_tag(job.owner, job.cost)

    def next_of(self, classes: tuple[str, ...], worker: str) -> str | None:
        orders = [self.lines[name].order() for name in classes]
        return next((job_id for order in orders for job_id in order if self._may_have(worker, job_id)), None)

    def _may_have(self, worker: str, job_id: str) -> bool:
        """A worker has one job at a time that may be what workers die of."""
        held = [other for other in self.in_state("running") if self.jobs[other].worker == worker]
        return not (self._may_be_poison(job_id) and any(self._may_be_poison(other) for other in held))

    def _may_be_poison(self, job_id: str) -> bool:
        return self.jobs[job_id].failed_attempts >= max(1, min(2, self._max_attempts - 1))

    def claim(self, job_id: str, worker: str) -> None:
        job = self.jobs[job_id]
        self.lines[job.class_].take(job_id)
        job.state, job.worker, job.is_silent, job.is_renewed, job.step = "running", worker, False, False, 0
        job.attempt += 1
        job.word.append("started")

    def owns(self, job_id: str, attempt: int) -> bool:
        job = self.jobs.get(job_id)
        return job is not None and job.state == "running" and job.attempt == attempt

    def requeue(self, job_id: str, attempt: int, reason: str) -> str:
        job = self.jobs.get(job_id)
        if job and not self.owns(job_id, attempt) and job.was_put_back(attempt, reason):
            return "failed" if job.state == "failed" else "queued"
        if job is None or not self.owns(job_id, attempt) or (reason == "worker_lost" and not job.is_silent):
            return "kept"
        if reason == "worker_lost" and not job.is_renewed:
            reason = "claim_lost"
        counts = reason not in {"given_back", "claim_lost"}
        job.history.append((attempt, job.worker, reason))
        job.failed_attempts += counts
        if counts and job.failed_attempts >= self._max_attempts:
            self.finish(job_id, "failed")
            job.is_dead_letter = True
            return "failed"
        job.state = "queued"
        job.word.append("queued")
        self.lines[job.class_].scores[job_id] = job.created_ms - 1e13
        return "queued"

    def finish(self, job_id: str, state: str) -> None:
        job = self.jobs[job_id]
        if job.state == "queued":
            self.lines[job.class_].remove(job_id)
        job.state = state
        job.needs_follow_up = state == "succeeded"
        job.word.append(state)
        if state == "canceled" and job.attempt:
            self.leftovers.add(job_id)

    def withdraw(self, job_id: str) -> None:
        """Its owner's next job stands as if it had never been."""
        job = self.jobs.pop(job_id)
        line = self.lines[job.class_]
        line.remove(job_id)
        if job.owner in line.finish_tags:
            line.finish_tags[job.owner] -= job.cost

    def delete(self, job_id: str) -> None:
        if self.jobs.pop(job_id).attempt:
            self.leftovers.add(job_id)
