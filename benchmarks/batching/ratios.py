"""The figures that a run comes down to. Null where one of its parts was not measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.batching.comparison import Comparison, Measured
from benchmarks.batching.offline import Offline
from benchmarks.batching.systems import OURS, SYSTEMS
from benchmarks.traffic import Run


@dataclass(frozen=True)
class Ratios:
    """Those of `divided` are beside an offline loop, or beside peers, with a process or a thread of their own for each
    core as well as without."""

    service_over_offline: float | None
    throughput_over_best_peer: float | None
    p95_over_best_peer: float | None
    short_p95_over_best_peer: float | None
    interactive_over_idle: float | None
    service_over_divided_offline: float | None
    throughput_over_best_divided_peer: float | None
    p95_over_best_divided_peer: float | None
    short_p95_over_best_divided_peer: float | None


# What the design asks for: at least for throughputs, at most for times.
TARGETS: Mapping[str, str] = {
    "service_over_offline": "≥ 0.95",
    "throughput_over_best_peer": "≥ 1.5",
    "p95_over_best_peer": "≤ 0.5",
    "short_p95_over_best_peer": "≤ 0.15",
    "interactive_over_idle": "≤ 2",
    "service_over_divided_offline": "–",
    "throughput_over_best_divided_peer": "–",
    "p95_over_best_divided_peer": "–",
    "short_p95_over_best_divided_peer": "–",
}


def ratios(offline: Offline, comparison: Comparison) -> Ratios:
    """The best peer is looked for anew in each figure."""
    ours = comparison.systems.get(OURS)
    others = {name: measured for name, measured in comparison.systems.items() if name != OURS}
    peers = [measured for name, measured in others.items() if not SYSTEMS[name].is_divided]
    everybody = list(others.values()) if len(others) > len(peers) else []
    interruption = ours.interruption if ours else None
    return Ratios(
        service_over_offline=_over(_throughput(ours), offline.in_best_batches),
        throughput_over_best_peer=_over(_throughput(ours), _best_throughput(peers)),
        p95_over_best_peer=_over_least(ours, peers, lambda run: run.p95_s),
        short_p95_over_best_peer=_over_least(ours, peers, lambda run: run.short_p95_s),
        interactive_over_idle=_over(interruption.busy_p50_s, interruption.idle_p50_s) if interruption else None,
        service_over_divided_offline=_over(_throughput(ours), offline.on_each_core),
        throughput_over_best_divided_peer=_over(_throughput(ours), _best_throughput(everybody)),
        p95_over_best_divided_peer=_over_least(ours, everybody, lambda run: run.p95_s),
        short_p95_over_best_divided_peer=_over_least(ours, everybody, lambda run: run.short_p95_s),
    )


def _best_throughput(peers: list[Measured]) -> float | None:
    return max((peer.closed.images_per_s for peer in peers), default=None)


def _throughput(measured: Measured | None) -> float | None:
    return measured.closed.images_per_s if measured else None


def _over_least(ours: Measured | None, peers: list[Measured], figure: Callable[[Run], float | None]) -> float | None:
    theirs = [value for peer in peers if (value := figure(peer.open)) is not None]
    return _over(figure(ours.open) if ours else None, min(theirs, default=None))


def _over(value: float | None, other: float | None) -> float | None:
    return round(value / other, 3) if value is not None and other else None
