"""The oracle finds every kind of broken word. Otherwise its silence would prove nothing."""

import hashlib
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from darkroom.job_store.dead_letters import DeadLetter, FailedAttempt
from darkroom.jobs import Failure, Job, JobState, StoredImage
from storage.keys import image_key, thumbnail_key
from tests.brokers.deployment import request_of
from tests.chaos.alone import Pixels
from tests.chaos.assembly import MOST_ATTEMPTS
from tests.chaos.evidence import Evidence
from tests.chaos.ledger import Order
from tests.chaos.oracle import Verdict, judge, recoveries
from tests.chaos.schedule import Fault, FaultType
from tests.chaos.service import Struck

ID = "0" * 28
OTHER_ID = "1" * 28
KEY = image_key(ID, 0, "png")
ALONE: Pixels = np.full((64, 64, 3), 100, np.uint8)


def png(pixels: Pixels) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def stored(data: bytes) -> StoredImage:
    sha256 = hashlib.sha256(data).hexdigest()
    return StoredImage(
        key=KEY, content_type="image/png", width=64, height=64, bytes=len(data), sha256=sha256, index=0, seed=7
    )


def succeeded(data: bytes) -> Job:
    return Job(ID, "alice", request_of(), JobState.SUCCEEDED, 10_000, 1, finished_ms=12_000, images=[stored(data)])


@pytest.fixture
def evidence() -> Evidence:
    """Of one job that went well."""
    data = png(ALONE)
    return Evidence({ID: succeeded(data)}, {ID: 1}, {KEY: data})


def verdict_on(evidence: Evidence, **seen: object) -> Verdict:
    order = Order(0, "key", {ID})
    for name, value in seen.items():
        setattr(order, name, value)
    return judge([order], evidence, [[ALONE]])


def with_job(evidence: Evidence, **changes: object) -> Evidence:
    return replace(evidence, jobs={ID: replace(evidence.jobs[ID], **changes)})  # type: ignore[arg-type]


def with_image(evidence: Evidence, pixels: Pixels) -> Evidence:
    data = png(pixels)
    return replace(evidence, jobs={ID: succeeded(data)}, objects={KEY: data})


def test_a_job_with_its_image_is_as_it_should_be(evidence: Evidence) -> None:
    assert verdict_on(evidence).is_spotless()


def test_a_job_without_a_record_is_lost(evidence: Evidence) -> None:
    assert verdict_on(replace(evidence, jobs={}, objects={})).lost


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.FAILED])
def test_a_job_that_did_not_come_to_a_good_end_is_lost(evidence: Evidence, state: JobState) -> None:
    assert verdict_on(with_job(evidence, state=state)).lost


def test_an_unfinished_job_whose_client_got_no_answer_is_lost_too(evidence: Evidence) -> None:
    stray = replace(evidence.jobs[ID], id=OTHER_ID, state=JobState.RUNNING, images=[])

    assert verdict_on(replace(evidence, jobs={**evidence.jobs, OTHER_ID: stray}, ends={ID: 1, OTHER_ID: 0})).lost


def test_two_jobs_for_one_key_are_found(evidence: Evidence) -> None:
    assert verdict_on(evidence, job_ids={ID, OTHER_ID}).twice


def test_a_job_that_ended_twice_is_found(evidence: Evidence) -> None:
    assert verdict_on(replace(evidence, ends={ID: 2})).twice


def test_a_missing_image_is_found(evidence: Evidence) -> None:
    assert verdict_on(replace(evidence, objects={})).unequal


def test_an_image_more_than_was_asked_for_is_found(evidence: Evidence) -> None:
    assert verdict_on(with_job(evidence, images=evidence.jobs[ID].images * 2)).unequal


def test_a_file_that_is_not_the_recorded_one_is_found(evidence: Evidence) -> None:
    assert verdict_on(replace(evidence, objects={KEY: png(ALONE + 1)})).unequal


@pytest.mark.parametrize(("off_by", "is_equal"), [(2, True), (3, False)])
def test_one_pixel_tells_two_images_apart(evidence: Evidence, off_by: int, is_equal: bool) -> None:
    pixels = ALONE.copy()
    pixels[5, 5, 1] += off_by

    assert (not verdict_on(with_image(evidence, pixels)).unequal) == is_equal


@pytest.mark.parametrize("key", [image_key(OTHER_ID, 0, "png"), thumbnail_key(OTHER_ID, 0), image_key(ID, 1, "png")])
def test_an_object_that_no_job_has_is_found(evidence: Evidence, key: str) -> None:
    assert verdict_on(replace(evidence, objects={**evidence.objects, key: b""})).ownerless


def test_the_image_of_a_canceled_job_is_found(evidence: Evidence) -> None:
    assert verdict_on(with_job(evidence, state=JobState.CANCELED, images=[])).ownerless


def test_a_canceled_job_that_was_delivered_is_found(evidence: Evidence) -> None:
    assert verdict_on(evidence, canceled=True).undead


def test_a_deleted_job_that_is_still_there_is_found(evidence: Evidence) -> None:
    assert verdict_on(evidence, deleted=True).undead


@pytest.mark.parametrize("ends_seen", [0, 2])
def test_a_watcher_that_was_not_told_of_one_end_is_found(evidence: Evidence, ends_seen: int) -> None:
    assert verdict_on(evidence, watched=True, ends_seen=ends_seen).unheard


POISONED = Failure(code="worker_lost", message="None could finish it.")


def buried(evidence: Evidence, **changes: object) -> Evidence:
    """The job took its workers down, and failed as it should."""
    dead = with_job(evidence, state=JobState.FAILED, images=[], failure=POISONED)
    history = tuple(
        FailedAttempt(attempt=number, worker="w", reason="worker_lost", at_ms=0)
        for number in range(1, MOST_ATTEMPTS + 1)
    )
    letters = {ID: DeadLetter(dead.jobs[ID], history)}
    return replace(dead, objects={}, **{"dead": letters} | changes)  # type: ignore[arg-type]


def test_a_poison_job_is_as_it_should_be_on_the_dead_letter_list(evidence: Evidence) -> None:
    assert verdict_on(buried(evidence), is_poison=True).is_spotless()


def test_one_that_is_not_listed_is_found(evidence: Evidence) -> None:
    assert verdict_on(buried(evidence, dead={}), is_poison=True).unburied


def test_one_that_succeeded_is_found(evidence: Evidence) -> None:
    assert verdict_on(evidence, is_poison=True).unburied


def test_one_that_had_fewer_attempts_than_it_may_is_found(evidence: Evidence) -> None:
    letter = buried(evidence).dead[ID]
    hasty = {ID: replace(letter, history=letter.history[1:])}

    assert verdict_on(buried(evidence, dead=hasty), is_poison=True).unburied


def test_an_ordinary_job_that_was_lost_with_its_workers_is_lost(evidence: Evidence) -> None:
    assert verdict_on(buried(evidence)).lost


def test_recovery_is_the_time_until_a_later_job_has_succeeded(evidence: Evidence) -> None:
    fault = Fault(0, FaultType.KILL, ("gpu-1",), 0.5)
    before, after = Struck(fault, at=9.5), Struck(fault, at=11)

    assert recoveries([before, after], [Order(0, "key", {ID})], evidence) == [2.5, None]
