from typing import Any

from benchmarks.figures import Spread
from benchmarks.why_a_queue.measures import Crash, Load, Measures
from benchmarks.why_a_queue.report import PACKAGES, report

LOAD = Load(Spread(count=40, p50=4.04, p95=21.2, max=52.0), Spread(count=300, p50=3.0, p95=40.0, max=900.0), 2.5)
BACKGROUND = Measures(LOAD, LOAD, Crash(40, 19, 0, api_away_s=5.0, all_settled_s=6.0), None)
QUEUE = Measures(
    LOAD,
    LOAD,
    Crash(40, 0, 0, api_away_s=0.7, all_settled_s=9.0),
    Crash(40, 0, 1, api_away_s=0.0, all_settled_s=30.0),
)
RESULT: dict[str, Any] = {
    "command": "python -m benchmarks.why_a_queue --rounds 2",
    "jobs": 40,
    "steps": 20,
    "rounds": [{"steady_rate_per_s": 1.04}, {"steady_rate_per_s": 1.1}],
    "machine": {
        "cores": 2, "load_before": 0.25, "system": "Linux", "python": "3.11", **dict.fromkeys(PACKAGES, "1.0"),
    },
}  # fmt: skip


def _row(page: str, name: str) -> list[str]:
    (line,) = (line for line in page.splitlines() if name in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_two_sides_stand_next_to_each_other() -> None:
    page = report(RESULT, [{"background": BACKGROUND, "queue": QUEUE}])

    assert _row(page, "API killed half-way")[1:] == ["19 of 40", "0 of 40"]
    assert _row(page, "light GET, all at once")[1:] == ["3.0 · 40 · 900", "3.0 · 40 · 900"]


def test_each_round_is_shown() -> None:
    page = report(RESULT, [{"background": BACKGROUND, "queue": QUEUE}] * 2)

    assert _row(page, "API away")[1:] == ["5.0 / 5.0", "0.7 / 0.7"]


def test_a_side_without_a_worker_says_why_none_was_killed() -> None:
    page = report(RESULT, [{"background": BACKGROUND, "queue": QUEUE}])

    assert _row(page, "worker killed half-way")[1:] == ["the same process", "0 of 40"]


def test_a_page_says_with_what_and_on_what_it_was_made() -> None:
    page = report(RESULT, [{"background": BACKGROUND, "queue": QUEUE}])

    assert "`python -m benchmarks.why_a_queue --rounds 2`" in page
    assert "2 cores" in page
    assert "1.04 / 1.10 jobs a second" in page
    assert "celery 1.0" in page
