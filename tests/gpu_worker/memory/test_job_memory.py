"""Jobs that are too large for the device, and those that have to wait for room on it."""

from dataclasses import dataclass

import pytest

from darkroom.errors import OutOfMemory
from gpu_worker.memory.budget import MemoryBudget, Need
from gpu_worker.memory.device import Peak
from gpu_worker.memory.job_memory import Gate, JobMemory, MeasuredForward

GIB = 2**30


@dataclass(frozen=True)
class Wanted:
    """The part of a request that memory depends on."""

    width: int
    height: int
    n: int


STEP = MeasuredForward(rows=2, peak=Peak(row_bytes=GIB // 4), argument_bytes=2**20, is_step=True, grows=True)
DECODING = MeasuredForward(rows=1, peak=Peak(row_bytes=2 * GIB), argument_bytes=2**18, is_step=False, grows=True)
PROMPT = MeasuredForward(rows=2, peak=Peak(row_bytes=GIB), argument_bytes=2**10, is_step=False, grows=False)
SDXL = JobMemory(pixels=1024 * 1024, forwards=(STEP, DECODING, PROMPT))


def gate(free_gib: float) -> Gate:
    memory_budget = MemoryBudget()
    memory_budget.set(int(free_gib * GIB))
    gate = Gate(memory_budget)
    gate.know(SDXL)
    return gate


def nothing() -> None:
    pass


def test_a_job_takes_what_its_largest_forward_takes_and_what_its_lane_holds() -> None:
    one = SDXL.of(Wanted(1024, 1024, 1))
    four_of_twice_the_size = SDXL.of(Wanted(2048, 1024, 4))

    assert one == Need(held_bytes=5 * 2**20, forward_bytes=2 * GIB)
    assert four_of_twice_the_size == Need(held_bytes=40 * 2**20, forward_bytes=16 * GIB)


def test_a_prompt_takes_no_less_for_a_smaller_image() -> None:
    assert SDXL.of(Wanted(512, 512, 1)).forward_bytes == 2 * GIB


def test_a_job_that_can_never_fit_is_told_so_before_its_first_step() -> None:
    told = r"8 image\(s\) of 1024x1024 take about 16.0 GiB.*Ask for a smaller size or fewer images"

    with pytest.raises(OutOfMemory, match=told), gate(7).passed(Wanted(1024, 1024, 8), nothing):
        pass


def test_until_the_warm_up_is_over_everything_passes() -> None:
    memory_budget = MemoryBudget()
    memory_budget.set(1)

    with Gate(memory_budget).passed(Wanted(2048, 2048, 8), nothing):
        pass
