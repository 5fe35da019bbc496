"""Turns what was measured into a page. Measures nothing itself."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.figures import Spread, markdown_table, short
from benchmarks.why_a_queue.measures import Crash, Measures

PACKAGES = ("torch", "diffusers", "fastapi", "uvicorn", "celery", "redis")


def report(result: dict[str, Any], rounds: Sequence[dict[str, Measures]]) -> str:
    machine = result["machine"]
    rates = " / ".join(f"{measured['steady_rate_per_s']:.2f}" for measured in result["rounds"])
    versions = ", ".join(f"{name} {machine[name]}" for name in PACKAGES)
    return "\n".join(
        (
            "# Why a queue: the same jobs in BackgroundTasks and in Darkroom",
            "",
            f"`{result['command']}`: {result['jobs']} jobs of {result['steps']} steps of minilab, seeds alike.",
            f"{machine['cores']} cores, no GPU asked for, load average before {machine['load_before']:.1f}; "
            f"{machine['system']}, Python {machine['python']}, {versions}.",
            f"Poisson: {rates} jobs a second. Milliseconds count from the moment a request was due.",
            "Rounds are separated by `/`.",
            "",
            markdown_table(("", "BackgroundTasks", "Darkroom"), _rows(rounds)),
            "",
        )
    )


def _rows(rounds: Sequence[dict[str, Measures]]) -> list[tuple[str, str, str]]:
    backgrounds, queues = ([sides[name] for sides in rounds] for name in ("background", "queue"))

    def row(name: str, cell: Callable[[Measures], str]) -> tuple[str, str, str]:
        return name, " / ".join(map(cell, backgrounds)), " / ".join(map(cell, queues))

    return [
        row("POST, Poisson: p50 · p95", lambda side: _spread(side.steady.post_ms)),
        row("POST, all at once: p50 · p95", lambda side: _spread(side.burst.post_ms)),
        row("light GET, Poisson: p50 · p95 · max", lambda side: _with_max(side.steady.light_ms)),
        row("light GET, all at once: p50 · p95 · max", lambda side: _with_max(side.burst.light_ms)),
        row("images a second, all at once", lambda side: f"{side.burst.images_per_s:.2f}"),
        row("API killed half-way: jobs lost", lambda side: _lost(side.api_killed)),
        row("… API away, seconds", lambda side: f"{side.api_killed.api_away_s:.1f}"),
        row("worker killed half-way: jobs lost", lambda side: _lost(side.worker_killed)),
        row("… jobs begun again", lambda side: _again(side.worker_killed)),
    ]


def _spread(measured: Spread) -> str:
    return f"{short(measured.p50)} · {short(measured.p95)}"


def _with_max(measured: Spread) -> str:
    return f"{_spread(measured)} · {short(measured.max)}"


def _lost(crash: Crash | None) -> str:
    return f"{crash.lost} of {crash.accepted}" if crash else "the same process"


def _again(crash: Crash | None) -> str:
    return str(crash.made_again) if crash else "–"
