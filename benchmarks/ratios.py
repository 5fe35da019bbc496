"""The five figures that a run comes down to. Null where one of its parts was not measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.comparison import Comparison, Measured
from benchmarks.offline import Offline
from benchmarks.systems import OURS
from benchmarks.traffic import Run


@dataclass(frozen=True)
class Ratios:
    service_over_offline: float | None
    throughput_over_best_peer: float | None
    p95_over_best_peer: float | None
    short_p95_over_best_peer: float | None
    interactive_over_idle: float | None


# What the design asks for: at least for throughputs, at most for times.
TARGETS: Mapping[str, str] = {
    "service_over_offline": "≥ 0.95",
    "throughput_over_best_peer": "≥ 1.5",
    "p95_over_best_peer": "≤ 0.5",
    "short_p95_over_best_peer": "≤ 0.15",
    "interactive_over_idle": "≤ 2",
}


def ratios(offline: Offline, comparison: Comparison) -> Ratios:
    """The best peer is looked for anew in each figure."""
    ours = comparison.systems.get(OURS)
    peers = [measured for name, measured in comparison.systems.items() if name != OURS]
    throughputs = [peer.closed.images_per_s for peer in peers]
    interruption = ours.interruption if ours else None
    return Ratios(
        service_over_offline=_over(_throughput(ours), offline.in_best_batches),
        throughput_over_best_peer=_over(_throughput(ours), max(throughputs, default=None)),
        p95_over_best_peer=_over_least(ours, peers, lambda run: run.p95_s),
        short_p95_over_best_peer=_over_least(ours, peers, lambda run: run.short_p95_s),
        interactive_over_idle=_over(interruption.busy_p50_s, interruption.idle_p50_s) if interruption else None,
    )


def _throughput(measured: Measured | None) -> float | None:
    return measured.closed.images_per_s if measured else None


def _over_least(ours: Measured | None, peers: list[Measured], figure: Callable[[Run], float | None]) -> float | None:
    theirs = [value for peer in peers if (value := figure(peer.open)) is not None]
    return _over(figure(ours.open) if ours else None, min(theirs, default=None))


def _over(value: float | None, other: float | None) -> float | None:
    return round(value / other, 3) if value is not None and other else None
