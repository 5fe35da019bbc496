"""Says whether the service kept its word: from what clients saw, what is stored, and the same requests drawn alone."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from PIL import Image

from darkroom.jobs import Job, JobState
from storage.keys import image_key, job_prefix, thumbnail_key
from tests.chaos.alone import Pixels
from tests.chaos.assembly import MOST_ATTEMPTS
from tests.chaos.evidence import Evidence
from tests.chaos.ledger import Order
from tests.chaos.service import Struck

# Of 255: what rounding in a batch of another size may do to a pixel.
TOLERANCE = 2


@dataclass
class Verdict:
    """Each list names what is wrong, one line a case; all empty is as it should be."""

    lost: list[str] = field(default_factory=list)
    """Accepted, and not final; or failed, though nothing was wrong with the request."""
    twice: list[str] = field(default_factory=list)
    """Two jobs for one key, two ends of one job, or more images than were asked for."""
    unequal: list[str] = field(default_factory=list)
    """Not its images: one missing, damaged, or not what the same request gives alone."""
    ownerless: list[str] = field(default_factory=list)
    """Objects in the bucket that no succeeded job has."""
    undead: list[str] = field(default_factory=list)
    """Canceled or deleted, as the client was told, and there all the same."""
    unheard: list[str] = field(default_factory=list)
    """A watcher was not told of the end, or told twice."""
    unburied: list[str] = field(default_factory=list)
    """A poison job, and not on the dead-letter list as `worker_lost` with all its attempts."""
    without_thumbnail: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)

    def is_spotless(self) -> bool:
        return not any((self.lost, self.twice, self.unequal, self.ownerless, self.undead, self.unheard, self.unburied))


def judge(orders: Sequence[Order], evidence: Evidence, alone: Sequence[Sequence[Pixels]]) -> Verdict:
    verdict = Verdict()
    for order in orders:
        _judge_order(order, evidence, alone, verdict)
    for job_id, job in evidence.jobs.items():
        verdict.ends[job.state] += 1
        verdict.attempts[job.attempt] += 1
        if not job.state.is_final and not any(job_id in order.job_ids for order in orders):
            verdict.lost.append(f"{job_id}: {job.state}, of a client that was never answered")
    owned = {key for job in evidence.jobs.values() for key in _keys_of(job)}
    verdict.ownerless += sorted(_state_of(key, evidence) for key in evidence.objects.keys() - owned)
    return verdict


def _judge_order(order: Order, evidence: Evidence, alone: Sequence[Sequence[Pixels]], verdict: Verdict) -> None:
    if len(order.job_ids) > 1:
        verdict.twice.append(f"{order.key}: {sorted(order.job_ids)}")
    if order.watched and order.ends_seen != 1:
        verdict.unheard.append(f"{sorted(order.job_ids)}: {order.ends_seen} ends")
    for job_id in order.job_ids:
        job = evidence.jobs.get(job_id)
        if order.deleted:
            verdict.undead += [f"{job_id}: deleted, and {job.state}"] if job else []
        elif job is None:
            verdict.lost.append(f"{job_id}: no record")
        elif order.is_poison:
            verdict.unburied += _signs_of_life(job, evidence)
        else:
            _judge_job(job, order, evidence, alone[order.request], verdict)


def _judge_job(job: Job, order: Order, evidence: Evidence, alone: Sequence[Pixels], verdict: Verdict) -> None:
    if not job.state.is_final:
        verdict.lost.append(f"{job.id}: {job.state}, attempt {job.attempt}")
    if job.state is JobState.FAILED:
        verdict.lost.append(f"{job.id}: failed, {job.failure.code if job.failure else 'without a reason'}")
    if job.state.is_final and evidence.ends[job.id] != 1:
        verdict.twice.append(f"{job.id}: {evidence.ends[job.id]} final events")
    if order.canceled and (job.state is not JobState.CANCELED or job.images):
        verdict.undead.append(f"{job.id}: canceled, and {job.state}")
    if job.state is JobState.SUCCEEDED:
        verdict.unequal += [f"{job.id}: {what}" for what in _differences(job, evidence, alone)]
        if not all(image.thumbnail for image in job.images):
            verdict.without_thumbnail.append(job.id)


def _signs_of_life(job: Job, evidence: Evidence) -> Iterator[str]:
    letter = evidence.dead.get(job.id)
    code = job.failure.code if job.failure else None
    if job.state is not JobState.FAILED or code != "worker_lost":
        yield f"{job.id}: poison, and {job.state}, {code}"
    elif letter is None:
        yield f"{job.id}: poison, and not on the dead-letter list"
    elif sum(entry.reason != "given_back" for entry in letter.history) != MOST_ATTEMPTS:
        yield f"{job.id}: poison, and failed after {len(letter.history)} attempts"


def _differences(job: Job, evidence: Evidence, alone: Sequence[Pixels]) -> Iterator[str]:
    if len(job.images) != len(alone):
        yield f"{len(job.images)} images instead of {len(alone)}"
        return
    for image, expected in zip(job.images, alone, strict=True):
        data = evidence.objects.get(image.key)
        if data is None:
            yield f"{image.key} is not in the bucket"
        elif hashlib.sha256(data).hexdigest() != image.sha256:
            yield f"{image.key} is not the file that was recorded"
        elif (difference := largest_difference(data, expected)) > TOLERANCE:
            yield f"{image.key} differs by {difference} of 255"


def largest_difference(file: bytes, expected: Pixels) -> int:
    with Image.open(BytesIO(file)) as image:
        pixels = np.asarray(image.convert("RGB"))
    if pixels.shape != expected.shape:
        return 255
    return int(np.abs(pixels.astype(int) - expected.astype(int)).max())


def _keys_of(job: Job) -> Iterator[str]:
    """What a succeeded job may have in the bucket, whether its thumbnails are recorded yet or not."""
    if job.state is JobState.SUCCEEDED:
        for image in job.images:
            yield image_key(job.id, image.index, job.request.output_format.value)
            yield thumbnail_key(job.id, image.index)


def _state_of(key: str, evidence: Evidence) -> str:
    job = next((job for job_id, job in evidence.jobs.items() if key.startswith(job_prefix(job_id))), None)
    return f"{key}: its job is {job.state if job else 'gone'}"


def recoveries(struck: Sequence[Struck], orders: Sequence[Order], evidence: Evidence) -> list[float | None]:
    """Seconds from each fault until a job that was accepted after it had succeeded. None: no such job came."""
    times = sorted(
        (job.created_ms / 1000, job.finished_ms / 1000)
        for order in orders
        for job_id in order.job_ids
        if (job := evidence.jobs.get(job_id)) and job.state is JobState.SUCCEEDED and job.finished_ms
    )
    return [
        min((finished - strike.at for created, finished in times if created > strike.at), default=None)
        for strike in struck
    ]
