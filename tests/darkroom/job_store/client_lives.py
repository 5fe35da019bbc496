"""A store, a model beside it, and the clients: the machine that test_state_machine.py adds workers to."""

import hypothesis.strategies as st
import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from darkroom.errors import IdempotencyConflict, JobIsFinal, QueueFull, UnknownJob
from darkroom.job_store.claims import Claims
from darkroom.job_store.dead_letters import DeadLetters
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import Admission, JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job
from darkroom.request import Priority
from darkroom.settings import Settings
from tests.conftest import MakeRequest
from tests.darkroom.job_store import job_checks
from tests.darkroom.job_store.contents import Contents
from tests.darkroom.job_store.job_model import CLASSES, FINAL, JobModel, ModelJob

OWNERS = st.sampled_from(["alice", "bob", "carol"])
PRIORITIES = st.sampled_from(list(Priority))
MOST_WAITING, MOST_OF_ONE_OWNER = 12, 6


class ClientLives(RuleBasedStateMachine):
    def __init__(self, client: Client, of: Settings, request_of: MakeRequest) -> None:
        super().__init__()
        client.flushdb()
        self.client = client
        self.request_of = request_of
        self.store, self.claims, self.upkeep = JobStore(client, of), Claims(client, of), Upkeep(client, of)
        self.letters = DeadLetters(client, self.store)
        self.model = JobModel(
            max_attempts=of.max_attempts, most_waiting=MOST_WAITING, most_of_one_owner=MOST_OF_ONE_OWNER
        )
        self.seen: list[str] = ["nobody"]
        """Ids of all jobs that there ever were."""
        self.ended: dict[str, dict[str, str]] = {}
        """Records of final jobs as they were when they ended."""

    @initialize(owners=st.lists(OWNERS, min_size=4, max_size=8), priority=PRIORITIES)
    def begin_with_a_line(self, owners: list[str], priority: Priority) -> None:
        for owner in owners:
            self._enqueue(owner, priority, 2, "", "")

    @rule(owner=OWNERS, priority=PRIORITIES, steps=st.integers(1, 4))
    def enqueue(self, owner: str, priority: Priority, steps: int) -> None:
        self._enqueue(owner, priority, steps, "", "")

    @rule(
        owner=OWNERS,
        priority=PRIORITIES,
        key=st.sampled_from(["key-1", "key-2"]),
        body=st.sampled_from(["body-1", "body-2"]),
    )
    def enqueue_under_a_key(self, owner: str, priority: Priority, key: str, body: str) -> None:
        earlier = self.model.earlier(owner, key)
        if earlier is None:
            self._enqueue(owner, priority, 1, key, body)
            return
        if earlier[1] != body:
            with pytest.raises(IdempotencyConflict):
                self._admit(owner, priority, 1, key, body)
            return
        admission = self._admit(owner, priority, 1, key, body)
        assert (admission.job.id, admission.is_repeat) == (earlier[0], True)
        self.model.jobs[earlier[0]].is_known_to_two = True

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = self._known(data)
        job = self.model.jobs.get(job_id)
        if job is None:
            with pytest.raises(UnknownJob):
                self.store.cancel(job_id)
        elif job.state in {"succeeded", "failed"}:
            with pytest.raises(JobIsFinal):
                self.store.cancel(job_id)
        else:
            assert self.store.cancel(job_id) == job.state
            if job.state != "canceled":
                self.model.finish(job_id, "canceled")

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        job_id = self._known(data)
        job = self.model.jobs.get(job_id)
        assert self.store.delete(job_id) is (job is None or job.state in FINAL)
        if job and job.state in FINAL:
            self.model.delete(job_id)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """Its wake-up could not be published. Whoever was told of it meanwhile must find it all the same."""
        job_id = self._known(data)
        job = self.model.jobs.get(job_id)
        stays = job is not None and (job.state != "queued" or job.attempt > 0 or job.is_known_to_two)
        assert self.store.withdraw(job_id) is not stays
        if job and not stays:
            self.model.withdraw(job_id)

    @invariant()
    def redis_holds_what_the_model_holds(self) -> None:
        there = Contents(self.client)
        job_checks.places(there, self.model)
        job_checks.sums(there, self.model)
        job_checks.shares(there, self.model)
        job_checks.concurrency(there, self.model)
        job_checks.stories(there, self.model)
        job_checks.ends(there, self.model, self.ended)
        job_checks.nothing_else(there, self.model)

    @invariant()
    def clients_are_told_the_place_that_their_jobs_have(self) -> None:
        order = [job_id for name in CLASSES for job_id in self.model.lines[name].order()]
        places = [self.store.place(job_id) for job_id in order]
        assert [place.position for place in places if place] == list(range(len(order)))

    def _enqueue(self, owner: str, priority: Priority, steps: int, key: str, body: str) -> None:
        if not self.model.takes(owner):
            with pytest.raises(QueueFull):
                self._admit(owner, priority, steps, key, body)
            return
        admission = self._admit(owner, priority, steps, key, body)
        assert not admission.is_repeat
        self._admitted(admission.job)
        if key:
            self.model.keys[owner, key] = admission.job.id, body

    def _admit(self, owner: str, priority: Priority, steps: int, key: str, body: str) -> Admission:
        request = self.request_of(priority=priority, steps=steps)
        return self.store.enqueue(owner, request, idempotency_key=key, fingerprint=body)

    def _known(self, data: st.DataObject) -> str:
        """Of one state as often as of another, or a dead letter; or any, the deleted ones too."""
        dead = sorted(job_id for job_id, job in self.model.jobs.items() if job.is_dead_letter)
        pools = [*map(self.model.in_state, ("queued", "running", "succeeded", "failed", "canceled")), dead]
        pool: list[str] = data.draw(st.sampled_from([pool for pool in pools if pool] + [self.seen]))
        job_id: str = data.draw(st.sampled_from(pool))
        return job_id

    def _admitted(self, job: Job) -> None:
        self.seen.append(job.id)
        self.model.enqueue(job.id, ModelJob(job.owner, job.request.priority, job.request.cost, job.created_ms))
