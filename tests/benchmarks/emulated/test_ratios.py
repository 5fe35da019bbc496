from dataclasses import asdict, fields, replace

from benchmarks.emulated.ratios import TARGETS, Ratios, ratios
from tests.benchmarks.emulated.results import RESULT


def test_each_ratio_is_over_the_peer_that_is_best_in_it_at_that_load() -> None:
    found = ratios(RESULT)

    assert asdict(found["0.5"]) == {
        "service_over_offline": 0.975,
        "throughput_over_best_peer": 1.3,
        "p50_over_best_peer": 0.8,
        "p95_over_best_peer": 0.5,
        "short_p95_over_best_peer": 0.125,
        "interactive_over_idle": 1.4,
    }
    assert found["0.9"].p95_over_best_peer == 0.5


def test_a_peer_whose_jobs_failed_is_not_the_best() -> None:
    assert ratios(RESULT)["0.9"].p50_over_best_peer == 0.25


def test_what_was_not_measured_has_no_ratio() -> None:
    alone = replace(RESULT, systems={"celery": RESULT.systems["celery"]})

    assert set(asdict(ratios(alone)["0.5"]).values()) == {None}
    assert ratios(replace(RESULT, systems={})) == {}


def test_each_ratio_has_a_target() -> None:
    assert list(TARGETS) == [field.name for field in fields(Ratios)]
