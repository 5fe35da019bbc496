"""The page of benchmarks/results/eta.md: how far estimates were from what came."""

import json
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from benchmarks.estimates.load import OF_BOB, OF_BULK, OVERLOAD, STEADY, Load, Sample
from benchmarks.figures import markdown_table, percentile

# Of a job that is done in a blink, no share of its time says anything.
LEAST_S = 1.0

Of = Callable[[Sample], bool]

AT_SUBMISSION: dict[str, Of] = {
    "burst, interactive": lambda s: s.part == "burst" and s.priority == "interactive",
    "burst, bulk": lambda s: s.part == "burst" and s.priority == "bulk",
    "steady, interactive": lambda s: s.part == "steady" and s.priority == "interactive",
    "steady, bulk": lambda s: s.part == "steady" and s.priority == "bulk",
    "overload, interactive": lambda s: s.part == "overload" and s.priority == "interactive",
    "overload, bulk": lambda s: s.part == "overload" and s.priority == "bulk",
    "full line, interactive": lambda s: s.part == "full",
    "all": lambda _: True,
    "all interactive": lambda s: s.priority == "interactive",
}
LATER: dict[str, Of] = {
    "at position 0": lambda s: s.position == 0,
    "at positions 1 to 4": lambda s: s.position is not None and 1 <= s.position <= 4,
    "at positions 5 to 16": lambda s: s.position is not None and 5 <= s.position <= 16,
    "at positions from 17": lambda s: s.position is not None and s.position >= 17,
    "running": lambda s: s.status == "running",
}


def report(result: dict[str, Any], load: Load) -> str:
    measured = [sample for sample in load.samples if sample.part != "warm-up"]
    first, later = [s for s in measured if s.is_first], [s for s in measured if not s.is_first]
    result["errors"] = {
        **{f"at submission: {name}": errors(filter(of, first)) for name, of in AT_SUBMISSION.items()},
        **{f"later: {name}": errors(filter(of, later)) for name, of in LATER.items()},
    }
    plan, machine = result["plan"], result["machine"]
    return "\n".join(
        (
            "# Do estimates hold?",
            "",
            f"`{result['command']}`: one worker with {plan['lanes']} lanes, {_worker(result)}, 4 to 50 steps; two "
            f"keys, of which one asks for {OF_BOB:.0%} of the jobs; {OF_BULK:.0%} bulk. After a warm-up "
            f"{plan['jobs']} jobs at once (of which {load.jobs_per_s:.2f} a second were done), then {plan['jobs']} at "
            f"Poisson moments at {STEADY:g} of that rate, then at {OVERLOAD:g}, each until the line is empty, then a "
            "key that orders until it is refused.",
            "",
            "The error is |estimated − actual| ÷ actual time until the images were there, of which "
            f"at least {LEAST_S:g} s; *told ÷ actual* says which way it leans. No estimate of a steady stream can know "
            "who comes next: a bulk job gives way to each interactive one that does.",
            "",
            markdown_table(
                ("", "estimates", "none given", "error, median", "error, p90", "told ÷ actual, median"),
                [_row(name, figures) for name, figures in result["errors"].items() if figures["count"]],
            ),
            "",
            _refusals(load),
            "",
            f"Machine: `{json.dumps(machine)}`",
            "",
        )
    )


def _worker(result: dict[str, Any]) -> str:
    if result.get("stand_in"):
        return "a stand-in that takes jobs and tells of steps as workers do, and for a forward only waits"
    return "the bundled model at 64 pixels"


def errors(samples: Iterable[Sample]) -> dict[str, Any]:
    every = list(samples)
    told = [(sample.eta_s, max(LEAST_S, sample.left_s)) for sample in every if sample.eta_s is not None]
    off = [abs(eta_s - left_s) / left_s for eta_s, left_s in told]
    return {
        "count": len(every),
        "none": len(every) - len(told),
        "median": median(off) if off else None,
        "p90": percentile(off, 0.9) if off else None,
        "leaning": median(eta_s / left_s for eta_s, left_s in told) if told else None,
    }


def _row(name: str, figures: dict[str, Any]) -> Sequence[str]:
    shares = [figures[key] for key in ("median", "p90")]
    return (
        name,
        str(figures["count"]),
        str(figures["none"]),
        *(f"{share:.0%}" if share is not None else "" for share in shares),
        f"{figures['leaning']:.2f}" if figures["leaning"] is not None else "",
    )


def _refusals(load: Load) -> str:
    taken = sum(refusal.taken for refusal in load.refusals)
    waits = sorted(refusal.retry_after_s for refusal in load.refusals)
    return (
        f"`Retry-After`: {len(waits)} refusals, told to wait {waits[0]} to {waits[-1]} s; "
        f"{taken} were taken when they came back."
        if waits
        else "`Retry-After`: nobody was refused."
    )
