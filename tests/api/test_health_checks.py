"""What /readyz costs is bounded by the clock, whoever asks and however often."""

import asyncio
from collections import Counter
from threading import Event

import httpx
import pytest

from api.health_checks import KEPT_S, Check, HealthChecks
from darkroom.errors import StorageUnavailable
from darkroom.settings import Settings
from tests.api.serving import serving


class Part:
    """Something that is looked at, and counts how often."""

    def __init__(self) -> None:
        self.is_down = False
        self.looks = 0

    def look(self) -> None:
        self.looks += 1
        if self.is_down:
            raise StorageUnavailable("It is down.")


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def results(checks: HealthChecks) -> dict[str, str]:
    return asyncio.run(checks.results())


def test_an_answer_is_remembered_for_two_seconds_and_no_longer() -> None:
    part, clock = Part(), Clock()
    checks = HealthChecks({"part": Check(part.look)}, clock)

    found = [results(checks)]
    part.is_down = True
    clock.now_s += KEPT_S - 0.01
    found.append(results(checks))
    clock.now_s += 0.01
    found.append(results(checks))

    assert found == [{"part": "ok"}, {"part": "ok"}, {"part": "storage_unavailable"}]
    assert part.looks == 2


def test_that_something_is_down_is_remembered_no_longer_than_that() -> None:
    part, clock = Part(), Clock()
    part.is_down = True
    checks = HealthChecks({"part": Check(part.look, ok_kept_s=30)}, clock)
    assert results(checks) == {"part": "storage_unavailable"}

    part.is_down = False
    clock.now_s += KEPT_S

    assert results(checks) == {"part": "ok"}


def test_what_costs_money_is_looked_at_less_often_while_it_is_well() -> None:
    free, paid, clock = Part(), Part(), Clock()
    checks = HealthChecks({"free": Check(free.look), "paid": Check(paid.look, ok_kept_s=30)}, clock)

    for _ in range(20):
        results(checks)
        clock.now_s += KEPT_S

    assert (free.looks, paid.looks) == (20, 2)


@pytest.mark.parametrize("askers", [2, 100])
def test_who_asks_while_somebody_looks_waits_for_what_is_found(askers: int) -> None:
    """Also when the first one who asked has left."""
    part, go_on = Part(), Event()

    def look_and_wait() -> None:
        part.look()
        go_on.wait(10)

    checks = HealthChecks({"part": Check(look_and_wait)})

    async def ask() -> list[dict[str, str]]:
        asking = [asyncio.create_task(checks.results()) for _ in range(askers)]
        await asyncio.sleep(0)
        asking[0].cancel()
        go_on.set()
        return await asyncio.gather(*asking[1:])

    assert asyncio.run(ask()) == [{"part": "ok"}] * (askers - 1)
    assert part.looks == 1


def test_a_hundred_probes_look_at_storage_once(settings: Settings) -> None:
    with serving(settings) as api, httpx.Client(base_url=api.url, trust_env=False) as http:
        first = http.get("/readyz")
        settings.images_dir.rmdir()
        settings.images_dir.write_text("a file where the folder should be")

        told = Counter(http.get("/readyz").text for _ in range(20))

    assert first.json()["status"] == "ready"
    assert told == {first.text: 20}
