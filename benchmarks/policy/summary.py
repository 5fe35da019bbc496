"""What one way of scheduling did to its jobs, in a few numbers. Times are in steps of one image alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.figures import percentile
from benchmarks.policy.curves import Curve
from benchmarks.policy.jobs import STEPS, Job
from benchmarks.policy.simulation import Run


@dataclass(frozen=True)
class Latencies:
    mean: float
    p50: float
    p95: float
    p99: float
    longest: float

    @classmethod
    def of(cls, jobs: Iterable[Job], unit_s: float) -> "Latencies":
        """Raises ValueError for no jobs."""
        latencies = sorted(job.latency_s / unit_s for job in jobs)
        p50, p95, p99 = (percentile(latencies, share) for share in (0.50, 0.95, 0.99))
        return cls(sum(latencies) / len(latencies), p50, p95, p99, latencies[-1])


@dataclass(frozen=True)
class Summary:
    """Of all runs together."""

    all: Latencies
    fewest_steps: Latencies
    most_steps: Latencies
    throughput: float
    """Work done until the last job ended, as a share of what the worker can do."""
    images_a_forward: float
    p99_by_run: tuple[float, ...]

    @classmethod
    def of(cls, runs: Sequence[Run], curve: Curve) -> "Summary":
        jobs = [job for run in runs for job in run.jobs]
        unit_s = curve.of(1)
        work = sum(job.steps for job in jobs)
        return cls(
            all=Latencies.of(jobs, unit_s),
            fewest_steps=Latencies.of((job for job in jobs if job.steps == min(STEPS)), unit_s),
            most_steps=Latencies.of((job for job in jobs if job.steps == max(STEPS)), unit_s),
            throughput=work / sum(run.ended_s for run in runs) / curve.capacity,
            images_a_forward=work / sum(run.forwards for run in runs),
            p99_by_run=tuple(Latencies.of(run.jobs, unit_s).p99 for run in runs),
        )
