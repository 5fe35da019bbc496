"""Compares all that Redis holds of jobs with a model of them."""

import re
from collections import Counter

from darkroom.job_store.dead_letters import HISTORY
from darkroom.job_store.redis_client import Client
from tests.darkroom.job_store.job_model import CLASSES, FINAL, JobModel

LEGAL_WORD = re.compile(r"(started (step )*queued )*(started (step )*)?(succeeded |failed |canceled )?")
SHARED = re.compile(
    r"darkroom:(models|speeds:minilab|running:minilab|company:.*|leases|suspects|final|dead|followups|leftovers|jobs:\w+|idempotency:.*|(line|fair|line_\w+):minilab.*)"
)


def places(client: Client, model: JobModel) -> None:
    """Each job is in exactly one of its line, a lease, and the end; each line is in the order of its tags."""
    for name, line in model.lines.items():
        in_redis = client.zrange(f"darkroom:line:minilab:{name}", 0, -1, withscores=True)
        assert in_redis == [(job_id, line.scores[job_id]) for job_id in line.order()]
    listed = {key for key, job in model.jobs.items() if job.is_dead_letter}
    owed = {key for key, job in model.jobs.items() if job.needs_follow_up}
    sets = {
        "leases": model.in_state("running"),
        "final": model.in_state(*FINAL),
        "dead": listed,
        "followups": owed,
        "leftovers": model.leftovers,
    }
    for name, ids in sets.items():
        assert sorted(client.zrange(f"darkroom:{name}", 0, -1)) == sorted(ids), name


def sums(client: Client, model: JobModel) -> None:
    costs: dict[str, float] = {}
    owners: dict[str, int] = {}
    for job in model.waiting():
        costs[job.class_] = costs.get(job.class_, 0) + job.cost
        owners[job.owner] = owners.get(job.owner, 0) + 1
    assert {name: float(cost) for name, cost in client.hgetall("darkroom:line_cost:minilab").items()} == costs
    assert {owner: int(count) for owner, count in client.hgetall("darkroom:line_owners:minilab").items()} == owners


def companies(client: Client, model: JobModel) -> None:
    """Who is under way where, of each class."""
    running = [model.jobs[job_id] for job_id in model.in_state("running")]
    of_class = Counter(job.class_ for job in running)
    assert {name: int(n) for name, n in client.hgetall("darkroom:running:minilab").items() if int(n)} == of_class
    workers = {key.removeprefix("darkroom:company:") for key in client.keys("darkroom:company:*")}
    assert workers == {job.worker for job in running}
    for worker in workers:
        kept = client.hmget(f"darkroom:company:{worker}", *CLASSES)
        there = Counter(job.class_ for job in running if job.worker == worker)
        assert [int(count) for count in kept] == [there[name] for name in CLASSES]


def shares(client: Client, model: JobModel) -> None:
    """Virtual time and finish tags, and nothing of them where nobody waits."""
    for name, line in model.lines.items():
        fair = {owner: float(tag) for owner, tag in client.hgetall(f"darkroom:fair:minilab:{name}").items()}
        assert fair.pop(":virtual", 0.0) == line.virtual
        assert fair == line.finish_tags


def stories(client: Client, model: JobModel) -> None:
    """State, attempt, history and events; the events are a legal life, with one end at most, and that last."""
    for job_id, job in model.jobs.items():
        record = client.hgetall(f"darkroom:job:{job_id}")
        assert (record["state"], int(record["attempt"])) == (job.state, job.attempt)
        history = HISTORY.validate_json(record.get("history") or "[]")
        assert [(entry.attempt, entry.worker, entry.reason) for entry in history] == job.history[-20:]
        word = [fields["type"] for _, fields in client.xrange(f"darkroom:events:{job_id}")]
        assert word == job.word
        assert LEGAL_WORD.fullmatch("".join(f"{event} " for event in word)), word


def ends(client: Client, model: JobModel, ended: dict[str, dict[str, str]]) -> None:
    """A final record never changes, but for its thumbnails. `ended` has the records as they were first seen."""
    for job_id in model.in_state(*FINAL):
        record = client.hgetall(f"darkroom:job:{job_id}")
        images = record.pop("images", None)
        assert (images is not None) is (record["state"] == "succeeded")
        assert ended.setdefault(job_id, record) == record


def keys(client: Client, model: JobModel) -> None:
    """No key that no job accounts for."""
    known = {f"darkroom:job:{job_id}" for job_id in model.jobs}
    known |= {f"darkroom:events:{job_id}" for job_id, job in model.jobs.items() if job.word}
    there = set(client.keys("*"))
    assert known <= there
    assert [key for key in there - known if not SHARED.fullmatch(key)] == []
    owners = {key.removeprefix("darkroom:jobs:") for key in there if key.startswith("darkroom:jobs:")}
    for owner in owners:
        own = sorted(job_id for job_id, job in model.jobs.items() if job.owner == owner)
        assert client.zrange(f"darkroom:jobs:{owner}", 0, -1) == own
