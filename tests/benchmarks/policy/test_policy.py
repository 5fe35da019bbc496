import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.policy.__main__ import simulate
from benchmarks.policy.curves import MODEL_CURVES, Curve, known_curves, model_curve
from benchmarks.policy.experiments import Effort
from benchmarks.policy.jobs import BULK, INTERACTIVE, MEAN_STEPS, STEPS, Job, mixed_jobs, two_classes
from benchmarks.policy.line import Line
from benchmarks.policy.plot import plot
from benchmarks.policy.record import fastest_seconds
from benchmarks.policy.report import report
from benchmarks.policy.simulation import Run, Worker, one_by_one, static_batches
from benchmarks.policy.summary import Latencies
from benchmarks.policy.ways import Way, bulk_riding, fair_share, first_come, gaining, images_worth, ours
from gpu_worker.engine.policy import AGEING

# A forward takes 1 s, with one image or two.
PAIRS = Curve("pairs", (1.0, 1.0), "for tests")
# No gain from batches.
ALONE = Curve("alone", (1.0, 2.0), "for tests")
SMALL = MODEL_CURVES[0]


def job(steps: int, arrives_s: float = 0.0, priority: int = BULK, owner: int | None = None) -> Job:
    return Job(arrives_s, steps, steps, priority, owner)


def run(jobs: Sequence[Job], curve: Curve, way: Way, lanes: int = 16, kept: int = 0) -> Run:
    return Worker(jobs, curve, way, lanes, kept).run(jobs)


def finished(run: Run) -> list[float]:
    return [job.finished_s for job in run.jobs]


def interactive_s(run: Run) -> float:
    return sum(job.latency_s for job in run.jobs if job.priority == INTERACTIVE)


@pytest.mark.parametrize(("curve", "knee"), [(SMALL, 8), (MODEL_CURVES[1], 4), (MODEL_CURVES[2], 1), (PAIRS, 2)])
def test_a_curve_s_knee_is_found_as_a_worker_finds_it(curve: Curve, knee: int) -> None:
    assert curve.knee == knee


def test_a_recording_by_rows_becomes_a_curve_by_images(tmp_path: Path) -> None:
    recorded = tmp_path / "curves.json"
    entry = {"name": "m", "rows_an_image": 2, "seconds": [1, 2, 3, 4], "measured": "2026-01-01", "device": "cpu"}
    recorded.write_text(json.dumps([entry]))

    *models, curve = known_curves(recorded)

    assert tuple(models) == MODEL_CURVES
    assert curve.seconds == (2, 4)


def test_without_recordings_there_are_the_model_curves(tmp_path: Path) -> None:
    assert known_curves(tmp_path / "none.json") == MODEL_CURVES


def test_a_recording_keeps_the_fastest_of_each_number_of_rows() -> None:
    seen: list[int] = []

    seconds = fastest_seconds(seen.append, most=3, rounds=2)

    assert len(seconds) == 3
    assert seen == [1, 1, 2, 3, 1, 2, 3]


def test_the_same_seed_gives_the_same_simulation() -> None:
    first, again, other = (run(mixed_jobs(500, 0.05, seed), SMALL, ours(SMALL)) for seed in (1, 1, 2))

    assert finished(first) == finished(again)
    assert finished(first) != finished(other)


def test_steps_do_not_hang_together_with_the_gaps_between_arrivals() -> None:
    """They once did, drawn from one seed: long jobs came after long gaps, and every way of scheduling looked good."""
    jobs = mixed_jobs(20_000, 1.0, seed=1)
    after_a_long_gap = [
        later.steps for earlier, later in itertools.pairwise(jobs) if later.arrives_s - earlier.arrives_s > 2
    ]

    assert sum(after_a_long_gap) / len(after_a_long_gap) == pytest.approx(MEAN_STEPS, rel=0.05)


def test_one_by_one_agrees_with_the_formula_of_pollaczek_and_khinchine() -> None:
    load = 0.6
    per_s = load / MEAN_STEPS
    mean_square = sum(steps**2 * share for steps, share in STEPS.items())
    waiting_s = per_s * mean_square / (2 * (1 - load))

    runs = [one_by_one(mixed_jobs(6000, per_s, seed), ALONE) for seed in range(5)]

    measured = Latencies.of((job for run in runs for job in run.jobs), unit_s=1.0)
    assert measured.mean == pytest.approx(waiting_s + MEAN_STEPS, rel=0.05)


@pytest.mark.parametrize("make", [first_come, fair_share, ours])
def test_nobody_is_done_sooner_than_alone_and_all_are_done(make: type) -> None:
    done = run(mixed_jobs(300, 0.09, seed=3), SMALL, make(SMALL))

    assert all(job.left == 0 and job.latency_s >= job.steps * SMALL.of(1) - 1e-6 for job in done.jobs)
    assert done.ended_s == max(finished(done))


# An ageing of 1/8 earns exactly one step for each forward of 8 missed, and such ties go as rounding will have it.
@pytest.mark.parametrize("way", [first_come(SMALL), ours(SMALL, ageing=0.1237)])
def test_asking_only_when_jobs_come_or_go_changes_nothing(way: Way) -> None:
    """What makes the simulation fast: a steady way would choose the same jobs at every step in between."""
    leaping = run(mixed_jobs(400, 0.11, seed=5), SMALL, way, lanes=12)
    stepping = run(mixed_jobs(400, 0.11, seed=5), SMALL, replace(way, is_steady=False), lanes=12)

    assert leaping.forwards == stepping.forwards
    assert finished(leaping) == pytest.approx(finished(stepping))


def test_a_latecomer_joins_the_next_forward() -> None:
    assert finished(run([job(10), job(2, arrives_s=3.5)], PAIRS, first_come(PAIRS))) == [10, 6]


def test_static_batches_hold_equal_step_counts_and_let_nobody_join() -> None:
    done = static_batches([job(4), job(8), job(4, arrives_s=1), job(4, arrives_s=2)], PAIRS, most=2)

    # At 4 s the oldest is the one of 8 steps, alone in its kind; then both of 4 that came meanwhile.
    assert finished(done) == [4, 12, 16, 16]


def test_the_shorter_job_goes_first_where_batches_gain_nothing() -> None:
    assert finished(run([job(50), job(4, arrives_s=9.5)], ALONE, ours(ALONE))) == [54, 14]


def test_without_ageing_an_endless_stream_of_short_jobs_starves_a_long_one() -> None:
    stream = [job(4, arrives_s=4.0 * number) for number in range(500)]

    done = run([job(50), *stream], ALONE, ours(ALONE, ageing=0.0))

    assert finished(done)[0] > 2000


@pytest.mark.parametrize("curve", [ALONE, SMALL])
def test_a_long_job_is_done_in_time_among_an_endless_stream_of_short_ones(curve: Curve) -> None:
    """Nobody starves: once the worker has done work ÷ ageing, only those before it are still in its way."""
    gap_s = 4 / curve.capacity  # the stream alone fills the worker
    stream = [job(4, arrives_s=gap_s * number) for number in range(2000)]

    done = run([job(50), *stream], curve, ours(curve), lanes=64)

    rises_s = 50 / AGEING / curve.capacity
    others_s = 64 * 4 / curve.capacity
    assert finished(done)[0] < rises_s + others_s + 50 * curve.of(curve.knee)


def test_interactive_goes_before_bulk_at_the_next_step() -> None:
    done = run([job(50), job(50, arrives_s=9.5, priority=INTERACTIVE)], ALONE, ours(ALONE))

    assert finished(done) == [100, 60]


def test_a_lane_kept_for_interactive_jobs_is_not_given_to_bulk_ones() -> None:
    jobs = [job(50), job(50), job(4, arrives_s=5.0, priority=INTERACTIVE)]

    without = finished(run(jobs, ALONE, ours(ALONE), lanes=2))
    kept = finished(run([job(50), job(50), job(4, 5.0, INTERACTIVE)], ALONE, ours(ALONE), lanes=2, kept=1))

    assert without[2] == 54
    assert kept[2] == 9


def test_an_interactive_job_alone_in_its_forwards_is_done_sooner() -> None:
    riding = run(two_classes(400, 0.12, 0.1, seed=1), SMALL, bulk_riding(SMALL))
    alone = run(two_classes(400, 0.12, 0.1, seed=1), SMALL, ours(SMALL))

    assert interactive_s(alone) < 0.7 * interactive_s(riding)


def test_a_forward_takes_a_further_job_only_where_that_gains() -> None:
    steep, flat = model_curve("steep", 0.667, 8), model_curve("flat", 0.346, 4)

    assert [images_worth(steep, waiting, 0.125, patience=1) for waiting in (1, 2, 3, 8, 16)] == [1, 2, 3, 4, 8]
    assert [images_worth(flat, waiting, 0.125, patience=1) for waiting in (1, 2, 4, 8)] == [1, 2, 2, 4]


def test_where_nothing_has_to_gain_forwards_are_full() -> None:
    curve = model_curve("steep", 0.667, 8)
    jobs, same = mixed_jobs(300, 0.05, seed=1), mixed_jobs(300, 0.05, seed=1)

    Worker(jobs, curve, gaining(curve, least=0), lanes=16).run(jobs)
    Worker(same, curve, ours(curve), lanes=16).run(same)

    assert [job.finished_s for job in jobs] == [job.finished_s for job in same]


def test_the_line_is_fair_between_keys_and_forgets_them_when_it_runs_empty() -> None:
    line = Line()
    greedy = [job(50, owner=1) for _ in range(3)]
    modest = job(50, owner=2)
    for waiting in (*greedy, modest):
        line.put(waiting)

    taken = [line.take(bulk_allowed=True) for _ in range(4)]

    assert taken == [greedy[0], modest, greedy[1], greedy[2]]
    assert line.take(bulk_allowed=True) is None


def test_the_line_gives_no_bulk_job_where_none_is_allowed() -> None:
    line = Line()
    line.put(job(4))

    assert line.take(bulk_allowed=False) is None


def test_a_small_simulation_makes_its_page_and_plot(tmp_path: Path) -> None:
    curves = MODEL_CURVES[:2]

    result = simulate(curves, Effort(jobs=60, seeds=1))
    plot(result, [curve.name for curve in curves], tmp_path / "policy.png")

    assert f"`ours` with ageing {AGEING}" in report(result, curves)
    assert json.loads(json.dumps(result))["jobs"] == 60
    assert (tmp_path / "policy.png").stat().st_size > 10_000
