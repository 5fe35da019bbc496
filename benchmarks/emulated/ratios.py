"""The figures that a curve comes down to, at each load. Null where one of its parts was not measured."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from benchmarks.batching.systems import OURS
from benchmarks.emulated.measuring import CurveResult
from benchmarks.traffic import Run


@dataclass(frozen=True)
class Ratios:
    """The best peer is looked for anew in each figure, among those as documented and those tuned."""

    service_over_offline: float | None
    throughput_over_best_peer: float | None
    p50_over_best_peer: float | None
    p95_over_best_peer: float | None
    short_p95_over_best_peer: float | None
    interactive_over_idle: float | None


# Of curves that gain by batching, and of those that do not; the latencies at this load.
TARGET_LOAD = "0.7"
TARGETS: Mapping[str, tuple[str, str]] = {
    "service_over_offline": ("≥ 0.97", "≥ 0.97"),
    "throughput_over_best_peer": ("–", "–"),
    "p50_over_best_peer": ("≤ 0.7", "≤ 0.7"),
    "p95_over_best_peer": ("≤ 0.7", "≤ 1.0"),
    "short_p95_over_best_peer": ("≤ 0.15", "–"),
    "interactive_over_idle": ("≤ 1.5", "≤ 1.5"),
}


def ratios(result: CurveResult) -> dict[str, Ratios]:
    """By load."""
    ours = result.systems.get(OURS)
    loads = list(next(iter(result.systems.values())).open) if result.systems else []
    throughput = ours.closed.images_per_s if ours else None
    peers = [measured for name, measured in result.systems.items() if name != OURS]
    interruption = ours.interruption if ours else None

    def latency(load: str, figure: Callable[[Run], float | None]) -> float | None:
        mine = figure(ours.open[load]) if ours else None
        return _over(mine, _least(figure(peer.open[load]) for peer in peers))

    return {
        load: Ratios(
            service_over_offline=_over(throughput, result.offline.in_best_batches),
            throughput_over_best_peer=_over(
                throughput, max((peer.closed.images_per_s for peer in peers), default=None)
            ),
            p50_over_best_peer=latency(load, lambda run: run.p50_s),
            p95_over_best_peer=latency(load, lambda run: run.p95_s),
            short_p95_over_best_peer=latency(load, lambda run: run.short_p95_s),
            interactive_over_idle=_over(interruption.busy_p50_s, interruption.idle_p50_s) if interruption else None,
        )
        for load in loads
    }


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _over(value: float | None, other: float | None) -> float | None:
    return round(value / other, 3) if value is not None and other else None
