"""Compares all that Redis holds of jobs with a model of them."""

import re
from collections import Counter

from darkroom.job_store import keys
from darkroom.job_store.dead_letters import HISTORY
from darkroom.job_store.key import Key
from tests.darkroom.job_store.contents import Contents
from tests.darkroom.job_store.job_model import CLASSES, FINAL, JobModel

LEGAL_WORD = re.compile(r"(started (step )*queued )*(started (step )*)?(succeeded |failed |canceled )?")
# Those that live and die with their job alone.
OF_A_JOB = (keys.JOB, keys.EVENTS, keys.PREVIEW)


def places(there: Contents, model: JobModel) -> None:
    """Each job is in exactly one of its line, a lease, and the end; each line is in the order of its tags."""
    for name, line in model.lines.items():
        in_redis = there.scores(keys.LINE("minilab", name))
        assert list(in_redis.items()) == [(job_id, line.scores[job_id]) for job_id in line.order()]
    listed = {key for key, job in model.jobs.items() if job.is_dead_letter}
    owed = {key for key, job in model.jobs.items() if job.needs_follow_up}
    sets = {
        keys.LEASES: model.in_state("running"),
        keys.FINAL: model.in_state(*FINAL),
        keys.DEAD: listed,
        keys.FOLLOWUPS: owed,
        keys.LEFTOVERS: model.leftovers,
    }
    for key, ids in sets.items():
        assert sorted(there.zrange(key())) == sorted(ids), key.name


def sums(there: Contents, model: JobModel) -> None:
    costs: dict[str, float] = {}
    owners: dict[str, int] = {}
    for job in model.waiting():
        costs[job.class_] = costs.get(job.class_, 0) + job.cost
        owners[job.owner] = owners.get(job.owner, 0) + 1
    assert {name: float(cost) for name, cost in there.hgetall(keys.LINE_COST("minilab")).items()} == costs
    assert {owner: int(count) for owner, count in there.hgetall(keys.LINE_OWNERS("minilab")).items()} == owners


def concurrency(there: Contents, model: JobModel) -> None:
    """Who is under way where, of each class."""
    running = [model.jobs[job_id] for job_id in model.in_state("running")]
    of_class = Counter(job.class_ for job in running)
    assert {name: int(n) for name, n in there.hgetall(keys.RUNNING("minilab")).items() if int(n)} == of_class
    workers = {key.removeprefix(keys.CONCURRENCY("")) for key in there.keys(keys.CONCURRENCY("*"))}
    assert workers == {job.worker for job in running}
    for worker in workers:
        kept = there.hmget(keys.CONCURRENCY(worker), *CLASSES)
        known = Counter(job.class_ for job in running if job.worker == worker)
        assert [int(count or -1) for count in kept] == [known[name] for name in CLASSES]


def shares(there: Contents, model: JobModel) -> None:
    """Virtual time and finish tags, and nothing of them where nobody waits."""
    for name, line in model.lines.items():
        fair = {owner: float(tag) for owner, tag in there.hgetall(keys.FAIR("minilab", name)).items()}
        assert fair.pop(":virtual", 0.0) == line.virtual
        assert fair == line.finish_tags


def stories(there: Contents, model: JobModel) -> None:
    """State, attempt, history and events; the events are a legal life, with one end at most, and that last."""
    for job_id, job in model.jobs.items():
        record = there.hgetall(keys.JOB(job_id))
        assert (record["state"], int(record["attempt"])) == (job.state, job.attempt)
        history = HISTORY.validate_json(record.get("history") or "[]")
        assert [(entry.attempt, entry.worker, entry.reason) for entry in history] == job.history[-20:]
        word = [fields["type"] for fields in there.stream(keys.EVENTS(job_id))]
        assert word == job.word
        assert LEGAL_WORD.fullmatch("".join(f"{event} " for event in word)), word


def ends(there: Contents, model: JobModel, ended: dict[str, dict[str, str]]) -> None:
    """A final record never changes, but for its thumbnails. `ended` has the records as they were first seen."""
    for job_id in model.in_state(*FINAL):
        record = there.hgetall(keys.JOB(job_id))
        images = record.pop("images", None)
        assert (images is not None) is (record["state"] == "succeeded")
        assert ended.setdefault(job_id, record) == record


def nothing_else(there: Contents, model: JobModel) -> None:
    """No key that no job accounts for."""
    known = {keys.JOB(job_id) for job_id in model.jobs}
    known |= {keys.EVENTS(job_id) for job_id, job in model.jobs.items() if job.word}
    names = set(there.keys("*"))
    assert known <= names
    assert [key for key in names - known if not any(_is_of(kind, key) for kind in keys.ALL)] == []
    owners = {key.removeprefix(keys.JOBS("")) for key in names if key.startswith(keys.JOBS(""))}
    for owner in owners:
        own = sorted(job_id for job_id, job in model.jobs.items() if job.owner == owner)
        assert there.zrange(keys.JOBS(owner)) == own


def _is_of(kind: Key, key: str) -> bool:
    """Whether it is a key of this kind that need not go with a job."""
    is_shared = kind not in OF_A_JOB and kind.type != "channel"
    return is_shared and re.fullmatch(re.escape(kind.prefix) + ":[^:]+" * kind.parts, key) is not None
