"""Measured values as a run would find them, for what is made of them."""

from benchmarks.batching.comparison import Comparison, Measured
from benchmarks.batching.interruption import Interruption
from benchmarks.batching.offline import Offline
from benchmarks.traffic import Run

OFFLINE = Offline(
    one_by_one=3.0, best_batch=8, in_best_batches=8.0, cpu_s=24.0, by_batch={1: 3.1, 8: 8.2}, on_each_core=9.5
)
INTERRUPTION = Interruption(15, idle_p50_s=0.1, idle_p95_s=0.2, busy_p50_s=0.15, busy_p95_s=0.3, queued_p50_ms=4.0)


def run(images_per_s: float = 1.0, p95_s: float | None = 1.0, short_p95_s: float | None = 1.0, failed: int = 0) -> Run:
    return Run(images_per_s, 0.5, p95_s, short_p95_s, failed, "it broke" if failed else None)


def measured(
    images_per_s: float, p95_s: float | None, short_p95_s: float | None, interruption: Interruption | None = None
) -> Measured:
    cpu_s = {"redis": 0.6, "gpu-worker": 27.0, "client": 1.2} if interruption else None
    return Measured(run(images_per_s), run(p95_s=p95_s, short_p95_s=short_p95_s), cpu_s, interruption)


COMPARISON = Comparison(
    systems={
        "litserve": measured(4.0, p95_s=6.0, short_p95_s=5.0),
        "ray": measured(5.0, p95_s=8.0, short_p95_s=2.0),
        "darkroom": measured(7.6, p95_s=3.0, short_p95_s=0.2, interruption=INTERRUPTION),
    },
    not_run={"bentoml": "bentoml is not installed.\nIts last lines: none"},
)
