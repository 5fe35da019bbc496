import asyncio
import math

import pytest

from benchmarks.traffic import PNG, Outcome, send, send_at_once, summary
from benchmarks.work import MIXES, SHORTEST, Mix, Work, equal_works, mixed_works

SHORT = Work("a circle", steps=4, seed=0)
LONG = Work("a circle", steps=50, seed=0)


async def _draw(_work: Work) -> bytes:
    return PNG


def test_all_works_are_under_way_together() -> None:
    async def all_here() -> int:
        together = asyncio.Barrier(5)

        async def draw(_work: Work) -> bytes:
            await together.wait()
            return PNG

        return (await send_at_once(draw, equal_works(5, steps=4))).failed

    assert asyncio.run(all_here()) == 0


def test_a_work_waits_for_its_moment_and_not_for_those_before_it() -> None:
    async def order() -> list[int]:
        sent: list[int] = []
        last_is_there = asyncio.Event()

        async def draw(work: Work) -> bytes:
            sent.append(work.seed)
            if work.seed == 1:  # due last
                last_is_there.set()
            await last_is_there.wait()
            return PNG

        await send(draw, equal_works(3, steps=4), [0.0, 0.02, 0.01])
        return sent

    assert asyncio.run(order()) == [0, 2, 1]


def test_a_failure_is_that_work_s_alone() -> None:
    async def draw(work: Work) -> bytes:
        if work.seed == 1:
            raise RuntimeError("no memory")
        return PNG

    run = asyncio.run(send_at_once(draw, equal_works(3, steps=4)))

    assert (run.failed, run.failure) == (1, "RuntimeError: no memory")


def test_an_answer_that_is_no_image_is_a_failure() -> None:
    async def draw(_work: Work) -> bytes:
        return b"<html>busy"

    assert "no PNG" in (asyncio.run(send_at_once(draw, [SHORT])).failure or "")


def test_images_a_second_are_those_that_came() -> None:
    outcomes = [Outcome(SHORT, 1.0), Outcome(SHORT, 2.0), Outcome(SHORT, math.inf, "it broke")]

    assert summary(outcomes, wall_s=4.0).images_per_s == 0.5


def test_the_shortest_works_are_also_looked_at_alone() -> None:
    run = summary([Outcome(SHORT, 1.0), Outcome(LONG, 9.0)], wall_s=9.0)

    assert (run.p95_s, run.short_p95_s) == (9.0, 1.0)


def test_whoever_drops_works_does_not_look_fast() -> None:
    outcomes = [Outcome(SHORT, 1.0)] * 9 + [Outcome(SHORT, math.inf, "it broke")]

    run = summary(outcomes, wall_s=1.0)

    assert (run.p50_s, run.p95_s) == (1.0, None)


def test_the_same_seed_gives_the_same_works() -> None:
    assert mixed_works(20, seed=1) == mixed_works(20, seed=1)
    assert mixed_works(20, seed=1) != mixed_works(20, seed=2)


@pytest.mark.parametrize(("steps", "share"), [(4, 0.30), (20, 0.25), (50, 0.10)])
def test_step_counts_are_mixed_as_stated(steps: int, share: float) -> None:
    works = mixed_works(10_000, seed=1)

    assert sum(work.steps == steps for work in works) / len(works) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("mix", MIXES.values(), ids=MIXES)
def test_a_mix_is_whole_and_has_the_shortest_works(mix: Mix) -> None:
    assert sum(mix.values()) == pytest.approx(1)
    assert (min(mix), max(mix)) == (SHORTEST, 50)
