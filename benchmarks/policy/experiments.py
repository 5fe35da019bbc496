"""The questions put to the simulation, each a function that gives rows for a table and a plot."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.policy.curves import Curve
from benchmarks.policy.jobs import INTERACTIVE, MEAN_STEPS, Job, mixed_jobs, two_classes, with_a_burst
from benchmarks.policy.simulation import Run, Worker, one_by_one, static_batches
from benchmarks.policy.summary import Latencies, Summary
from benchmarks.policy.ways import Way, bulk_riding, fair_share, first_come, gaining, ours
from gpu_worker.engine.policy import AGEING

LOADS = (0.6, 0.8, 0.9)
LANES = 16
AGEINGS = tuple(sorted({0.0, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, AGEING}))
LANES_TRIED = (4, 8, 16, 32, 64)
KEPT_TRIED = (0, 1, 2)
LEAST_GAINS = (0.06, 0.125)
INTERACTIVE_SHARES = (0.05, 0.2, 0.5)

Simulate = Callable[[Sequence[Job]], Run]
Row = dict[str, Any]


@dataclass(frozen=True)
class Effort:
    """How much is simulated."""

    jobs: int = 6000
    seeds: int = 5

    def summary(self, curve: Curve, load: float, simulate: Simulate) -> Summary:
        """The same arrivals for every way: `load` is a share of what the worker can do in its best batches."""
        per_s = load * curve.capacity / MEAN_STEPS
        return Summary.of([simulate(mixed_jobs(self.jobs, per_s, seed)) for seed in range(self.seeds)], curve)


def on_lanes(curve: Curve, way: Way, lanes: int = LANES, kept: int = 0) -> Simulate:
    return lambda jobs: Worker(jobs, curve, way, lanes, kept).run(jobs)


def compare_ways(curves: Sequence[Curve], effort: Effort) -> Iterator[Row]:
    """First come first served one by one, static batches, and three kinds of continuous batching."""
    for curve in curves:
        ways: dict[str, Simulate] = {
            "one by one": partial(one_by_one, curve=curve),
            "static": partial(static_batches, curve=curve, most=curve.knee),
            "first come": on_lanes(curve, first_come(curve)),
            "fair share": on_lanes(curve, fair_share(curve)),
            "ours": on_lanes(curve, ours(curve)),
        }
        for load in LOADS:
            for name, simulate in ways.items():
                # Nothing would be learnt from how fast a line grows for ever.
                if name == "one by one" and load * curve.capacity >= 1 / curve.of(1):
                    continue
                summary = effort.summary(curve, load, simulate)
                yield {"model": curve.name, "load": load, "way": name, "summary": summary}


def compare_ageings(curves: Sequence[Curve], effort: Effort) -> Iterator[Row]:
    """Each ageing against continuous batching that is first come, first served."""
    for curve in curves:
        for load in LOADS:
            base = effort.summary(curve, load, on_lanes(curve, first_come(curve)))
            for ageing in AGEINGS:
                tried = effort.summary(curve, load, on_lanes(curve, ours(curve, ageing)))
                yield {"model": curve.name, "load": load, "ageing": ageing, **_relative(tried, base)}


def _relative(tried: Summary, base: Summary) -> Row:
    return {
        "mean_ratio": tried.all.mean / base.all.mean,
        "p99_ratio": tried.all.p99 / base.all.p99,
        "p99_ratio_by_seed": [one / other for one, other in zip(tried.p99_by_run, base.p99_by_run, strict=True)],
        "most_steps_p99_ratio": tried.most_steps.p99 / base.most_steps.p99,
        "fewest_steps_p95_ratio": tried.fewest_steps.p95 / base.fewest_steps.p95,
    }


def compare_merging(curves: Sequence[Curve], effort: Effort) -> Iterator[Row]:
    """Full forwards against those that take a further job only where that gains enough: ours are the unit."""
    for curve in curves:
        if curve.knee == 1:
            continue
        for load in LOADS:
            first = effort.summary(curve, load, on_lanes(curve, first_come(curve)))
            full = effort.summary(curve, load, on_lanes(curve, ours(curve)))
            for least in LEAST_GAINS:
                tried = effort.summary(curve, load, on_lanes(curve, gaining(curve, least)))
                p99s = {
                    "p99_over_first": tried.all.p99 / first.all.p99,
                    "full_p99_over_first": full.all.p99 / first.all.p99,
                }
                yield {"model": curve.name, "load": load, "least": least, **_beside(tried, full), **p99s}


def _beside(tried: Summary, full: Summary) -> Row:
    return {
        "mean_ratio": tried.all.mean / full.all.mean,
        "p50_ratio": tried.all.p50 / full.all.p50,
        "p95_ratio": tried.all.p95 / full.all.p95,
        "fewest_steps_p95_ratio": tried.fewest_steps.p95 / full.fewest_steps.p95,
        "images_a_forward": tried.images_a_forward,
    }


def compare_lanes(curves: Sequence[Curve], effort: Effort) -> Iterator[Row]:
    """How many jobs should run at once; and what a key's burst does to the others, who come at 0.6 of capacity."""
    for curve in curves:
        for lanes in LANES_TRIED:
            simulate = on_lanes(curve, ours(curve), lanes)
            yield {
                "model": curve.name,
                "lanes": lanes,
                "summary": effort.summary(curve, 0.9, simulate),
                "others_in_a_burst": _others_in_a_burst(curve, effort, simulate),
            }


def _others_in_a_burst(curve: Curve, effort: Effort, simulate: Simulate) -> Latencies:
    """Of the jobs that came while the burst was being worked off."""
    others: list[Job] = []
    for seed in range(effort.seeds):
        jobs = with_a_burst(600, 0.6 * curve.capacity / MEAN_STEPS, burst=200, seed=seed)
        simulate(jobs)
        over_s = max(job.finished_s for job in jobs if job.owner is not None)
        others += [job for job in jobs if job.owner is None and job.arrives_s < over_s]
    return Latencies.of(others, curve.of(1))


def compare_kept_lanes(curves: Sequence[Curve], effort: Effort) -> Iterator[Row]:
    """Some interactive jobs of 4 steps among so many bulk ones that a line always waits."""
    for curve in curves:
        for kept in KEPT_TRIED:
            yield _interactive(curve, effort, ours(curve), kept, share=0.1)


def compare_company(curves: Sequence[Curve], effort: Effort) -> Iterator[Row]:
    """Should bulk jobs ride along in forwards that have interactive ones? With one lane kept."""
    for curve in curves:
        if curve.knee == 1:
            continue
        for share in INTERACTIVE_SHARES:
            for way in (bulk_riding(curve), ours(curve)):
                yield _interactive(curve, effort, way, 1, share)


def _interactive(curve: Curve, effort: Effort, way: Way, kept: int, share: float) -> Row:
    mean_steps = share * 4 + (1 - share) * MEAN_STEPS
    per_s = 1.2 * curve.capacity / mean_steps
    simulate = on_lanes(curve, way, kept=kept)
    runs = [simulate(two_classes(effort.jobs // 4, per_s, share, seed)) for seed in range(effort.seeds)]
    interactive = Latencies.of((job for run in runs for job in run.jobs if job.priority == INTERACTIVE), curve.of(1))
    busy_s = sum(run.busy_s for run in runs)
    idle = 4  # steps of one image alone
    return {
        "model": curve.name,
        "interactive_share": share,
        "kept": kept,
        "bulk": "rides along" if "riding" in way.name else "waits",
        "p50_over_idle": interactive.p50 / idle,
        "p95_over_idle": interactive.p95 / idle,
        "throughput": sum(job.steps for run in runs for job in run.jobs) / busy_s / curve.capacity,
    }
