"""A run as a table to read and as one JSON object, per broker."""

import json
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from tests.chaos.outage import Outage
from tests.chaos.run import Result

SHOWN = 8


def table(result: Result) -> str:
    return "\n".join([*_recoveries(result), "", *_outages(result), *_findings(result)])


def _recoveries(result: Result) -> Iterator[str]:
    yield f"{'fault':<34}{'times':>6}{'median s':>10}{'slowest s':>11}"
    by_name: dict[str, list[float]] = {}
    for strike, seconds in zip(result.struck, result.recovery_s, strict=True):
        by_name.setdefault(strike.fault.name, []).extend([] if seconds is None else [seconds])
    for name, times in sorted(by_name.items()):
        figures = f"{median(times):>10.1f}{max(times):>11.1f}" if times else f"{'-':>10}{'-':>11}"
        yield f"{name:<34}{len(times):>6}{figures}"


def _outages(result: Result) -> Iterator[str]:
    for outage in result.outages:
        answers = ", ".join(f"{count} x {status or 'none'}" for status, count in sorted(outage.answers.items()))
        yield f"{outage.part} was away: POST /generate got {answers}, after {outage.slowest_answer_s:.1f} s at most"
        yield (
            f"  a new job succeeded {outage.recovery_s:.1f} s after it was back; watchers not told of the end once: "
            f"{outage.unheard}; processes that ended: {', '.join(outage.restarted) or 'none'}"
        )


def _findings(result: Result) -> Iterator[str]:
    verdict, ledger = result.verdict, result.ledger
    ends = ", ".join(f"{count} {state}" for state, count in sorted(verdict.ends.items()))
    attempts = ", ".join(f"{count} x {attempt}" for attempt, count in sorted(verdict.attempts.items()))
    yield f"accepted {len(ledger.accepted)} of {len(ledger.orders)} orders; {ends}; attempts: {attempts}"
    yield f"requests refused with 429 or 503: {ledger.refused}; without an answer: {ledger.cut}"
    poison = sum(order.is_poison for order in ledger.accepted)
    yield f"requests that kill their workers: {poison}"
    yield f"ended without being asked to: {dict(result.ended_by_themselves) or 'none'}"
    for name in ("lost", "twice", "unequal", "ownerless", "undead", "unheard", "unburied", "without_thumbnail"):
        found = getattr(verdict, name)
        yield f"{name.replace('_', ' ')}: {len(found)}"
        yield from (f"  {line}" for line in found[:SHOWN])
    yield f"surprising answers: {len(ledger.surprises)}"
    yield from (f"  {line}" for line in ledger.surprises[:SHOWN])


def figures(result: Result) -> Mapping[str, Any]:
    verdict = result.verdict
    known = [seconds for seconds in result.recovery_s if seconds is not None]
    return {
        "jobs": len(result.ledger.accepted),
        "faults": len(result.struck),
        "lost": len(verdict.lost),
        "twice": len(verdict.twice),
        "unequal": len(verdict.unequal),
        "slowest_recovery_s": round(max(known, default=0), 1),
        "ownerless": len(verdict.ownerless),
        "undead": len(verdict.undead),
        "unheard": len(verdict.unheard),
        "unburied": len(verdict.unburied),
        "without_thumbnail": len(verdict.without_thumbnail),
        "surprises": len(result.ledger.surprises),
        "slowest_job_s": round(result.slowest_job_s, 1),
        "outages": {outage.part: _outage(outage) for outage in result.outages},
    }


def _outage(outage: Outage) -> Mapping[str, Any]:
    return {
        "answers": {str(status): count for status, count in sorted(outage.answers.items())},
        "slowest_answer_s": round(outage.slowest_answer_s, 2),
        "recovery_s": round(outage.recovery_s, 1),
        "unheard": outage.unheard,
        "restarted": len(outage.restarted),
    }


def last_line(results: Mapping[str, Result]) -> str:
    return json.dumps({broker: figures(result) for broker, result in results.items()})
