"""Measured values as a run would find them, for what is made of them."""

from benchmarks.batching.interruption import Interruption
from benchmarks.batching.offline import Offline
from benchmarks.emulated.kept import Kept
from benchmarks.emulated.measuring import CurveResult, Measured
from benchmarks.traffic import Run

OFFLINE = Offline(one_by_one=3.0, best_batch=8, in_best_batches=8.0, cpu_s=24.0, by_batch={1: 3.1, 8: 8.2})
INTERRUPTION = Interruption(7, idle_p50_s=0.1, idle_p95_s=0.2, busy_p50_s=0.14, busy_p95_s=0.3, queued_p50_ms=4.0)


def run(p50_s: float | None = 1.0, p95_s: float | None = 1.0, short_p95_s: float | None = 1.0) -> Run:
    return Run(1.0, p50_s, p95_s, short_p95_s, 0, None)


def measured(images_per_s: float, at_half: Run, at_full: Run, interruption: Interruption | None = None) -> Measured:
    closed = Run(images_per_s, 1.0, 1.0, 1.0, 0, None)
    return Measured(closed, {"0.5": at_half, "0.9": at_full}, interruption)


RESULT = CurveResult(
    offline=OFFLINE,
    systems={
        "celery": measured(3.0, run(0.5, 4.0, 2.0), run(None, None, None)),
        "litserve-tuned": measured(6.0, run(1.0, 2.0, 1.6), run(4.0, 8.0, 4.0)),
        "darkroom": measured(7.8, run(0.4, 1.0, 0.2), run(1.0, 4.0, 0.4), INTERRUPTION),
    },
    not_run={"bentoml": "bentoml is not installed.\nIts last lines: none"},
)
KEPT = Kept(
    "sdxl-512",
    {
        "command": "python -m benchmarks.emulated",
        "machine": {"cores": 2, "load_before": 0.1, "torch": "2.13.0"},
        "jobs": 80,
        "loads": [0.5, 0.9],
        "seed": 1,
    },
    RESULT,
)
