"""Errors of estimates, and the page that shows them."""

from dataclasses import replace

import pytest

from benchmarks.estimates.load import Load, Plan, Refusal, Sample
from benchmarks.estimates.report import errors, report

TOLD = Sample("burst", "1", "interactive", "queued", 0.0, position=3, eta_s=8.0, is_first=True, left_s=10.0)


def test_an_error_is_a_share_of_the_time_that_it_took() -> None:
    figures = errors([TOLD, replace(TOLD, eta_s=15.0), replace(TOLD, eta_s=20.0), replace(TOLD, eta_s=None)])

    assert (figures["count"], figures["none"]) == (4, 1)
    assert (figures["median"], figures["p90"], figures["leaning"]) == pytest.approx((0.5, 1.0, 1.5))


def test_what_is_done_in_a_blink_counts_as_a_second() -> None:
    assert errors([replace(TOLD, eta_s=0.3, left_s=0.1)])["median"] == pytest.approx(0.7)


def test_nothing_told_is_no_error() -> None:
    assert errors([replace(TOLD, eta_s=None)])["median"] is None


def test_the_page_leaves_the_warm_up_out_and_tells_of_refusals() -> None:
    load = Load("http://nowhere", Plan(jobs=8, lanes=4, most_waiting=6), say=print)
    load.samples += [TOLD, replace(TOLD, part="warm-up"), replace(TOLD, is_first=False, eta_s=10.0)]
    load.refusals += [Refusal(2, True), Refusal(5, False)]
    result = {"command": "python -m benchmarks.estimates", "plan": {"lanes": 4, "jobs": 8}, "machine": {}}

    page = report(result, load)

    assert "| at submission: burst, interactive | 1         | 0          | 20%" in page
    assert "| later: at positions 1 to 4        | 1         | 0          | 0%" in page
    assert "2 refusals, told to wait 2 to 5 s; 1 were taken" in page
