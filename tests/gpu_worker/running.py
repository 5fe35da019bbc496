"""What a worker's threads do, one thing after the other."""

from gpu_worker.delivery.outbox import Outbox
from gpu_worker.generate import generate
from gpu_worker.jobs.job_end import Outcome
from gpu_worker.node import Node


def run_all(model: str, node: Node) -> None:
    """A lane draws what waits, each job by a wake-up of its own; then upload threads deliver what they can."""
    while generate(model, node, patience_s=0).outcome not in {Outcome.NO_JOB, Outcome.NOT_NOW}:
        pass
    run_tasks(node.outbox)


def run_tasks(outbox: Outbox) -> int:
    """Those that there are to be done now."""
    done = 0
    while task := outbox.task():
        task()
        done += 1
    return done
