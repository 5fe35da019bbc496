"""A soak as a table to read and as one JSON object."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.soak.guests import Guests
from tests.soak.reading import Reading
from tests.soak.trend import Trend, trend

SHOWN = 8


@dataclass(frozen=True)
class Outcome:
    times_s: Sequence[float]
    trends: Sequence[Trend]
    guests: Guests
    ended: Sequence[str]
    """Processes that were not there any more."""

    @property
    def is_flat(self) -> bool:
        return all(line.is_flat for line in self.trends)

    def is_spotless(self) -> bool:
        return self.is_flat and not self.guests.faults and not self.ended


def trends(times_s: Sequence[float], readings: Sequence[Reading], warm_up_s: float) -> list[Trend]:
    """Of all that was read after the warm-up."""
    kept = [(moment, reading) for moment, reading in zip(times_s, readings, strict=True) if moment >= warm_up_s]
    names = dict.fromkeys(name for _, reading in kept for name in reading)
    return [_trend(name, [(moment, reading[name]) for moment, reading in kept if name in reading]) for name in names]


def _trend(name: str, series: Sequence[tuple[float, float]]) -> Trend:
    return trend(name, [moment for moment, _ in series], [value for _, value in series])


def table(outcome: Outcome) -> str:
    return "\n".join([*_growth(outcome.trends), *_findings(outcome)])


def _growth(trends: Sequence[Trend]) -> Iterator[str]:
    yield f"{'':<16}{'first':>9}{'last':>9}{'most':>9}{'growth':>9}{'allowed':>9}"
    for line in trends:
        figures = (line.first, line.last, line.most, line.growth, line.may_grow)
        yield f"{line.name:<16}{''.join(f'{figure:>9.1f}' for figure in figures)}{'' if line.is_flat else '  GREW'}"


def _findings(outcome: Outcome) -> Iterator[str]:
    done = ", ".join(f"{count} {way.replace('_', ' ')}" for way, count in outcome.guests.done.most_common())
    yield f"{outcome.times_s[-1] / 60:.1f} minutes, {len(outcome.times_s)} readings; clients: {done}"
    yield f"processes that ended: {', '.join(outcome.ended) or 'none'}"
    yield f"not as it should be: {len(outcome.guests.faults)}"
    yield from (f"  {fault}" for fault in outcome.guests.faults[:SHOWN])


def last_line(outcome: Outcome) -> str:
    summary = {
        "minutes": round(outcome.times_s[-1] / 60, 1),
        "clients": outcome.guests.done.total(),
        "faults": len(outcome.guests.faults),
        "is_flat": outcome.is_flat,
        "growth": {line.name: round(line.growth, 1) for line in outcome.trends},
    }
    return json.dumps(summary)
