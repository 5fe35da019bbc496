from dataclasses import asdict, fields

from benchmarks.batching.comparison import Comparison
from benchmarks.batching.ratios import TARGETS, Ratios, ratios
from tests.benchmarks.batching.comparisons import COMPARISON, OFFLINE, measured


def test_each_ratio_is_over_the_peer_that_is_best_in_it() -> None:
    assert asdict(ratios(OFFLINE, COMPARISON)) == {
        "service_over_offline": 0.95,
        "throughput_over_best_peer": 1.52,
        "p95_over_best_peer": 0.5,
        "short_p95_over_best_peer": 0.1,
        "interactive_over_idle": 1.5,
        "service_over_divided_offline": 0.8,
        "throughput_over_best_divided_peer": None,
        "p95_over_best_divided_peer": None,
        "short_p95_over_best_divided_peer": None,
    }


def test_peers_with_a_process_for_each_core_are_compared_apart() -> None:
    divided = {**COMPARISON.systems, "litserve-divided": measured(9.5, p95_s=2.0, short_p95_s=1.0)}

    found = ratios(OFFLINE, Comparison(divided, {}))

    assert (found.throughput_over_best_peer, found.throughput_over_best_divided_peer) == (1.52, 0.8)
    assert (found.p95_over_best_peer, found.p95_over_best_divided_peer) == (0.5, 1.5)
    assert (found.short_p95_over_best_peer, found.short_p95_over_best_divided_peer) == (0.1, 0.2)


def test_what_was_not_measured_has_no_ratio() -> None:
    peers_alone = Comparison({"ray": COMPARISON.systems["ray"]}, {})

    assert set(asdict(ratios(OFFLINE, peers_alone)).values()) == {None}


def test_without_a_peer_the_service_is_still_beside_the_offline_loop() -> None:
    found = ratios(OFFLINE, Comparison({"darkroom": COMPARISON.systems["darkroom"]}, {}))

    assert found.service_over_offline == 0.95
    assert found.throughput_over_best_peer is None


def test_a_peer_that_fails_too_often_is_not_the_best_in_latency() -> None:
    failing = {**COMPARISON.systems, "celery": measured(3.0, p95_s=None, short_p95_s=None)}

    assert ratios(OFFLINE, Comparison(failing, {})).p95_over_best_peer == 0.5


def test_there_is_no_latency_ratio_if_ours_fails_too_often() -> None:
    failing = {**COMPARISON.systems, "darkroom": measured(7.0, p95_s=None, short_p95_s=0.2)}

    assert ratios(OFFLINE, Comparison(failing, {})).p95_over_best_peer is None


def test_each_ratio_has_a_target() -> None:
    assert list(TARGETS) == [field.name for field in fields(Ratios)]
