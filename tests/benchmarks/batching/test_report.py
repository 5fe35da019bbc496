from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.batching.comparison import Comparison, Measured
from benchmarks.batching.plot import plot
from benchmarks.batching.ratios import ratios
from benchmarks.batching.report import report
from tests.benchmarks.batching.comparisons import COMPARISON, OFFLINE, run

ABOUT: dict[str, Any] = {
    "command": "python -m benchmarks.batching",
    "machine": {"cores": 2, "load_before": 0.25, "system": "Linux", "torch": "2.13.0"},
    "device": "no GPU",
    "model": "minilab",
    "side": 128,
    "mix": "usual",
    "jobs": 120,
    "share": 0.7,
    "rate_per_s": 5.6,
    "window": 32,
    "lanes": 16,
}


def _page(comparison: Comparison = COMPARISON) -> str:
    return report(ABOUT, OFFLINE, comparison, ratios(OFFLINE, comparison))


def _row(page: str, name: str) -> list[str]:
    (line,) = (line for line in page.splitlines() if line.startswith(f"| {name}"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_each_system_has_its_row() -> None:
    assert _row(_page(), "Ray Serve") == ["5.00", "0.50", "8.00", "2.00", "0"]
    assert _row(_page(), "offline loop, best batch (8)")[0] == "8.00"
    assert _row(_page(), "the same, a loop for each core")[0] == "9.50"


def test_a_system_that_did_not_run_is_there_with_the_reason() -> None:
    assert _row(_page(), "BentoML")[0] == "not run: bentoml is not installed."


def test_failures_are_counted_and_leave_no_latency_behind() -> None:
    failing = Comparison({"ray": Measured(run(failed=2), run(p95_s=None, failed=9))}, {})

    assert _row(_page(failing), "Ray Serve") == ["1.00", "0.50", "too many failed", "1.00", "11"]


def test_a_page_says_with_what_load_and_on_what_machine_it_was_made() -> None:
    page = _page()

    assert "`python -m benchmarks.batching`" in page
    assert "5.60 a second, which is 70%" in page
    assert "2 cores, no GPU" in page
    assert "4 steps 30%, 8 steps 20%" in page


def test_a_page_says_where_the_cores_time_went() -> None:
    lines = _page().splitlines()

    header = next(index for index, line in enumerate(lines) if "Darkroom's gpu-worker" in line)
    assert [cell.strip() for cell in lines[header].strip("|").split("|")][1:] == [
        "Darkroom's redis", "Darkroom's gpu-worker", "client",
    ]  # fmt: skip
    assert [cell.strip() for cell in lines[header + 2].strip("|").split("|")] == ["200", "5", "225", "10"]


def test_a_mix_of_every_step_count_is_not_spelt_out() -> None:
    page = report({**ABOUT, "mix": "free"}, OFFLINE, COMPARISON, ratios(OFFLINE, COMPARISON))

    assert "every step count from 4 to 50, 4 steps 20%" in page


def test_an_interruption_that_was_not_measured_says_why() -> None:
    bare = Comparison({"darkroom": Measured(run(), run(), not_interrupted="RuntimeError: too few")}, {})

    assert "was not measured. RuntimeError: too few" in _page(bare)


def test_a_ratio_stands_beside_its_target() -> None:
    assert _row(_page(), "interactive_over_idle") == ["1.50", "≤ 2"]


def test_a_plot_is_drawn_also_where_a_latency_is_missing(tmp_path: Path) -> None:
    failing = Comparison({**COMPARISON.systems, "celery": Measured(run(), run(p95_s=None))}, {})

    plot(OFFLINE, failing, tmp_path / "batching.png")

    with Image.open(tmp_path / "batching.png") as image:
        assert image.width > 1000
