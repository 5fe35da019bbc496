"""Random lives of jobs in a real Redis: clients, workers that die or wake up late, and a housekeeper, in any order.

After every act the whole of Redis is compared with a model in plain Python: every key, every line and its order.
"""

import os
from collections.abc import Callable
from contextlib import nullcontext

import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from darkroom.errors import (
    GenerationFailed,
    JobTaken,
    OutOfMemory,
    QueueFull,
)
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.jobs import Job, StoredImage
from darkroom.request import Priority
from darkroom.settings import Settings
from tests.conftest import MakeRequest
from tests.darkroom.job_store.client_lives import MOST_OF_ONE_OWNER, MOST_WAITING, ClientLives

WORKERS = st.sampled_from(["worker-1", "worker-2", "worker-3"])
ERROR = GenerationFailed("The model stopped with ValueError.")
# About 20 seconds on one busy core for both tests together.
EXAMPLES, STEPS = 20, 60

some_claim = precondition(lambda self: self.claimed)


class JobLives(ClientLives):
    """`claimed` has what workers believe to own: some lost it long ago, and write all the same."""

    def __init__(self, client: Client, of: Settings, request_of: MakeRequest) -> None:
        super().__init__(client, of, request_of)
        self.claimed: list[Job] = []

    @rule(worker=WORKERS, classes=st.sampled_from([tuple(Priority), (Priority.INTERACTIVE,)]))
    def claim(self, worker: str, classes: tuple[Priority, ...]) -> None:
        """A wake-up that comes again, or late, is a claim like any other."""
        self._claim(worker, classes)

    def _claim(self, worker: str, classes: tuple[Priority, ...]) -> Job | None:
        expected = self.model.next_of(tuple(str(name) for name in classes), worker)
        job = self.claims.claim_next("minilab", worker, classes)
        assert (job.id if job else None) == expected
        if job is None:
            return None
        self.claimed.append(job)
        self.model.claim(job.id, worker)
        assert (job.attempt, job.worker) == (self.model.jobs[job.id].attempt, worker)
        return job

    @some_claim
    @rule(data=st.data())
    def tell_a_step(self, data: st.DataObject) -> None:
        job = self._claimed(data)
        if not self.model.owns(job.id, job.attempt):
            with pytest.raises(JobTaken):
                self.claims.progress(job, 1, 4)
            return
        known = self.model.jobs[job.id]
        # What comes late, behind a later step, is told no more.
        step = known.step + 1 if data.draw(st.booleans()) else max(1, known.step)
        self.claims.progress(job, step, 100)
        known.word += ["step"] if step > known.step else []
        known.step, known.is_silent, known.is_renewed = step, False, True

    @rule()
    def renew(self) -> None:
        jobs = list({job.id: job for job in self.claimed}.values())[-6:]
        kept = [job.id for job in jobs if self.model.owns(job.id, job.attempt)]
        assert self.claims.renew(jobs) == {job.held_as for job in jobs if job.id not in kept}
        for job_id in kept:
            self.model.jobs[job_id].is_silent = False
            self.model.jobs[job_id].is_renewed = True

    @some_claim
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        job = self._claimed(data)
        self._finish(job, "succeeded")

    @some_claim
    @rule(data=st.data(), worker=WORKERS, is_first=st.booleans())
    def sleep_while_another_makes_the_job(self, data: st.DataObject, worker: str, is_first: bool) -> None:
        """Chance alone seldom brings the two so close together."""
        job = self._claimed(data)
        if not self.model.owns(job.id, job.attempt):
            return
        self._fall_silent(job.id)
        self.keep_house()
        another = self._claim(worker, tuple(Priority))
        writers = [job, another] if is_first else [another, job]
        for writer in writers:
            if writer:
                self._finish(writer, "succeeded")

    @some_claim
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        job = self._claimed(data)
        self._finish(job, "failed")

    @some_claim
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        job = self._claimed(data)
        self.claims.give_back(job)
        self.model.requeue(job.id, job.attempt, "given_back")

    @some_claim
    @rule(data=st.data())
    def try_again(self, data: st.DataObject) -> None:
        job = self._claimed(data)
        assert self.claims.try_again(job, ERROR) == self.model.requeue(job.id, job.attempt, "unexplained")

    @some_claim
    @rule(data=st.data())
    def put_back_hung(self, data: st.DataObject) -> None:
        job = self._claimed(data)
        assert self.claims.put_back_hung(job) == self.model.requeue(job.id, job.attempt, "worker_hung")

    @precondition(lambda self: self.model.in_state("running"))
    @rule(data=st.data())
    def fall_silent(self, data: st.DataObject) -> None:
        self._fall_silent(data.draw(st.sampled_from(self.model.in_state("running"))))

    @rule()
    def keep_house(self) -> None:
        silent = self.upkeep.silent()
        assert sorted(job_id for job_id, _ in silent) == [
            job_id for job_id in self.model.in_state("running") if self.model.jobs[job_id].is_silent
        ]
        for job_id, attempt in silent:
            expected = self.model.requeue(job_id, attempt, "worker_lost")
            assert self.upkeep.requeue_lost(job_id, attempt) == expected

    @some_claim
    @rule(data=st.data())
    def a_slow_housekeeper_acts_on_what_it_read(self, data: st.DataObject) -> None:
        job = self._claimed(data)
        expected = self.model.requeue(job.id, job.attempt, "worker_lost")
        assert self.upkeep.requeue_lost(job.id, job.attempt) == expected

    @rule(data=st.data())
    def follow_up(self, data: st.DataObject) -> None:
        job_id = self._known(data)
        job = self.model.jobs.get(job_id)
        is_due = job is not None and job.state == "succeeded"
        assert self.upkeep.followed_up(job_id, [image_of(job_id)]) is is_due
        if job:
            job.needs_follow_up = False

    @precondition(lambda self: any(job.is_dead_letter for job in self.model.jobs.values()))
    @rule(data=st.data(), retries=st.booleans())
    def see_to_a_dead_letter(self, data: st.DataObject, retries: bool) -> None:
        job_id = data.draw(st.sampled_from(sorted(key for key, job in self.model.jobs.items() if job.is_dead_letter)))
        dead = self.model.jobs[job_id]
        if retries and not self.model.takes(dead.owner):
            with pytest.raises(QueueFull):
                self.letters.retry(job_id)
            return
        dead.is_dead_letter = False
        if not retries:
            self.letters.drop(job_id)
            return
        self._admitted(self.letters.retry(job_id))

    def _claimed(self, data: st.DataObject) -> Job:
        """As often one that its worker still owns as any, of which most are lost."""
        owned = [job for job in self.claimed if self.model.owns(job.id, job.attempt)]
        prefers_owned: bool = data.draw(st.booleans())
        job: Job = data.draw(st.sampled_from(owned if owned and prefers_owned else self.claimed))
        return job

    def _fall_silent(self, job_id: str) -> None:
        self.client.zadd(keys.LEASES(), {job_id: 1})
        self.model.jobs[job_id].is_silent = True

    def _finish(self, job: Job, state: str) -> None:
        known = self.model.jobs.get(job.id)
        # Said twice, because an answer was lost: it holds already.
        holds = known is not None and (known.state, known.attempt) == (state, job.attempt)
        owns = self.model.owns(job.id, job.attempt)
        with nullcontext() if holds or owns else pytest.raises(JobTaken):
            if state == "succeeded":
                self.claims.succeed(job, [image_of(job.id)])
            else:
                self.claims.fail(job, OutOfMemory("It does not fit."))
        if owns:
            self.model.finish(job.id, state)


def image_of(job_id: str) -> StoredImage:
    return StoredImage(
        index=0, seed=7, key=f"jobs/{job_id}/0.png", content_type="image/png", width=8, height=8, bytes=9, sha256="ab"
    )


class Resending:
    """A client that sends scripts again, as redis-py does when the connection broke before the answer came."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def register_script(self, text: str) -> Callable[..., object]:
        script: Callable[..., object] = self._client.register_script(text)

        def twice(**arguments: object) -> object:
            answer = script(**arguments)
            script(**arguments)
            return answer

        return twice

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)


@pytest.mark.parametrize("resends", [False, True])
def test_no_order_of_events_loses_a_job_or_makes_one_twice(
    resends: bool, client: Client, settings: Settings, request_of: MakeRequest
) -> None:
    bounded = settings.model_copy(
        update={
            "max_waiting_per_model": MOST_WAITING,
            "max_waiting_per_key": MOST_OF_ONE_OWNER,
            "max_attempts": 2,  # so that dead letters are no rarity
        }
    )

    class Lives(JobLives):
        def __init__(self) -> None:
            super().__init__(Resending(client) if resends else client, bounded, request_of)

    run_state_machine_as_test(
        Lives,
        settings=hypothesis.settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="CI" in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
