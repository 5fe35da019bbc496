"""Turns what was measured into a page. Measures nothing itself."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.batching.comparison import Comparison, Measured
from benchmarks.batching.interruption import LONG_STEPS, SHORT_STEPS, Interruption
from benchmarks.batching.offline import Offline
from benchmarks.batching.ratios import TARGETS, Ratios
from benchmarks.batching.systems import SYSTEMS
from benchmarks.figures import markdown_table
from benchmarks.work import MIXES, SHORTEST, Mix

HEADER = ("", "images/s", "p50, s", "p95, s", f"p95 of {SHORTEST} steps, s", "failed")


def report(
    about: Mapping[str, Any], offline: Offline, comparison: Comparison, figures: Ratios, name: str = "batching"
) -> str:
    return "\n\n".join(
        (
            "# The same jobs in Darkroom and in what else there is",
            _setting(about, offline),
            markdown_table(HEADER, [*_offline_rows(offline), *_rows(comparison)]),
            *_interruption(comparison),
            *_cpu(offline, comparison, about["jobs"]),
            markdown_table(("ratio", "measured", "target"), _ratio_rows(figures)),
            f"![Throughput and latency]({name}.png)\n",
        )
    )


def _setting(about: Mapping[str, Any], offline: Offline) -> str:
    machine = dict(about["machine"])
    where = f"{machine.pop('cores')} cores, {about['device']}, load average before {machine.pop('load_before'):.1f}"
    versions = ", ".join(f"{name} {version}" for name, version in machine.items())
    sizes = ", ".join(f"{size}: {rate:.2f}" for size, rate in offline.by_batch.items())
    return "\n".join(
        (
            f"`{about['command']}`, with {about['model']} at {about['side']}×{about['side']}.",
            f"{where}; {versions}.",
            "",
            f"- {about['jobs']} jobs, the same for all: {_said(MIXES[about['mix']])}.",
            "- images/s: all jobs at once.",
            f"- Latencies: Poisson arrivals, {about['rate_per_s']:.2f} a second, which is {about['share']:.0%} of "
            "what the offline loop makes in its best batches; from due until the file is there.",
            f"- Offline images/s of equal jobs by batch size: {sizes}.",
            f"- LitServe, Ray Serve and BentoML collect up to {about['window']} requests, and draw them in batches of "
            f"equal step counts, {offline.best_batch} at most. "
            f"Darkroom has {about['lanes']} lanes.",
            "- Each server has one process that draws, with a thread for each core, unless the table says otherwise.",
        )
    )


def _said(mix: Mix) -> str:
    if len(mix) > 10:
        return f"every step count from {min(mix)} to {max(mix)}, {SHORTEST} steps {mix[SHORTEST]:.0%}"
    return ", ".join(f"{steps} steps {share:.0%}" for steps, share in mix.items())


def _offline_rows(offline: Offline) -> list[tuple[str, ...]]:
    none = ("–",) * 4
    return [
        ("offline loop, one by one", f"{offline.one_by_one:.2f}", *none),
        (f"offline loop, best batch ({offline.best_batch})", f"{offline.in_best_batches:.2f}", *none),
        *([("the same, a loop for each core", f"{offline.on_each_core:.2f}", *none)] if offline.on_each_core else []),
    ]


def _rows(comparison: Comparison) -> list[tuple[str, ...]]:
    rows = [_row(SYSTEMS[name].title, measured) for name, measured in comparison.systems.items()]
    missing = ((SYSTEMS[name].title, _first_line(reason)) for name, reason in comparison.not_run.items())
    return rows + [(title, f"not run: {reason}", *("–",) * 4) for title, reason in missing]


def _row(title: str, measured: Measured) -> tuple[str, ...]:
    run = measured.open
    latencies = (_seconds(run.p50_s), _seconds(run.p95_s), _seconds(run.short_p95_s))
    return (title, f"{measured.closed.images_per_s:.2f}", *latencies, str(measured.closed.failed + run.failed))


def _interruption(comparison: Comparison) -> list[str]:
    for measured in comparison.systems.values():
        if measured.interruption:
            return [_sentence(measured.interruption)]
        if measured.not_interrupted:
            return [f"The interactive job among bulk ones was not measured. {measured.not_interrupted}"]
    return []


def _sentence(found: Interruption) -> str:
    return (
        f"A {SHORT_STEPS}-step interactive job in Darkroom, p50 of {found.samples}: {found.idle_p50_s:.2f} s on an "
        f"idle worker, {found.busy_p50_s:.2f} s on one filled with {LONG_STEPS}-step bulk jobs "
        f"(p95 {found.idle_p95_s:.2f} and {found.busy_p95_s:.2f} s). "
        f"From accepted to lane starts, idle: {found.queued_p50_ms:.0f} ms (target ≤ 10)."
    )


def _cpu(offline: Offline, comparison: Comparison, jobs: int) -> list[str]:
    """Where the cores' time went: what a service does beside drawing is what it can't draw in."""
    return [
        "CPU milliseconds an image, all jobs at once:\n\n"
        + markdown_table(
            ("offline loop, best batch", *(f"Darkroom's {part}" if part != "client" else part for part in parts)),
            [tuple(f"{1000 * seconds / jobs:.0f}" for seconds in (offline.cpu_s, *parts.values()))],
        )
        for measured in comparison.systems.values()
        if (parts := measured.cpu_s)
    ]


def _ratio_rows(figures: Ratios) -> list[tuple[str, str, str]]:
    return [
        (name, "not measured" if value is None else f"{value:.2f}", TARGETS[name])
        for name, value in asdict(figures).items()
    ]


def _seconds(value: float | None) -> str:
    return "too many failed" if value is None else f"{value:.2f}"


def _first_line(reason: str) -> str:
    return reason.splitlines()[0].replace("|", "\\|") if reason else "it did not say why"
