"""The schedule of faults is drawn from a seed alone."""

from tests.chaos.assembly import LEASE_S
from tests.chaos.schedule import KINDS, ON_LINKS, RABBITMQ_KINDS, WORKERS, FaultType, plan


def test_the_same_seed_gives_the_same_faults() -> None:
    assert plan(7, 40, 300, "redis") == plan(7, 40, 300, "redis")
    assert plan(7, 40, 300, "redis") != plan(8, 40, 300, "redis")


def test_faults_come_in_order_while_the_load_lasts() -> None:
    times = [fault.at_s for fault in plan(7, 40, 300, "redis")]

    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] < 300


def test_every_kind_comes_before_any_comes_twice() -> None:
    faults = plan(7, len(KINDS) + len(RABBITMQ_KINDS), 300, "rabbitmq")

    assert len({fault.name for fault in faults}) == len(KINDS) + len(RABBITMQ_KINDS)


def test_rabbitmq_is_hurt_only_where_there_is_one() -> None:
    assert not any("rabbitmq" in fault.parts for fault in plan(7, 200, 300, "redis"))


def test_a_worker_is_paused_for_longer_than_its_lease() -> None:
    pauses = [fault for fault in plan(7, 200, 300, "redis") if fault.type is FaultType.PAUSE]

    assert all(fault.for_s > LEASE_S for fault in pauses if fault.parts[0] in WORKERS[:2])


def test_every_process_s_link_to_redis_loses_answers() -> None:
    links = {fault.parts[0] for fault in plan(7, 200, 300, "redis") if fault.type is FaultType.LOSE}

    assert links == {"api>redis", "gpu-1>redis", "gpu-2>redis", "cpu>redis"}


def test_links_alone_are_cut_and_stalled_and_lose_answers() -> None:
    faults = plan(7, 200, 300, "rabbitmq")

    assert {fault.type for fault in faults if ">" in fault.parts[0]} == ON_LINKS
    assert not any(">" in part for fault in faults for part in fault.parts if fault.type not in ON_LINKS)
