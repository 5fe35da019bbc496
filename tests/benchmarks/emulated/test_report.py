from dataclasses import replace

from benchmarks.emulated.report import WARNING, report
from benchmarks.emulation import CURVES
from tests.benchmarks.emulated.results import KEPT


def test_a_page_says_before_all_figures_that_no_gpu_was_there() -> None:
    page = report({"sdxl-512": KEPT})

    assert page.index(WARNING) < page.index("|")
    assert "Emulated" in WARNING


def test_a_curve_is_named_with_the_figures_that_it_is_drawn_from() -> None:
    page = report({"sdxl-512": KEPT})

    assert "## SDXL 512², 3.1 × at 8 (emulated)" in page
    assert CURVES["sdxl-512"].source in page
    assert "1: 40, 2: 49" in page


def test_a_system_has_a_row_and_one_that_was_not_run_its_reason() -> None:
    page = report({"sdxl-512": KEPT})

    assert "| Darkroom " in page
    assert "0.40 · 1.00 · 0.20" in page
    assert "too many failed · too many failed" in page
    assert "Not run: BentoML: bentoml is not installed." in page


def test_targets_stand_beside_the_ratios() -> None:
    page = report({"sdxl-512": KEPT, "flux-1024": KEPT})

    assert "| service_over_offline " in page
    assert "≥ 0.97" in page


def test_a_page_made_on_a_busy_machine_says_that_it_is_no_fair_comparison() -> None:
    machine = {**KEPT.about["machine"], "load_before": 7.8}
    busy = replace(KEPT, about={**KEPT.about, "machine": machine})

    assert "load average 7.8 on 2 cores" in report({"sdxl-512": busy})
    assert "Not a fair comparison" not in report({"sdxl-512": KEPT})
