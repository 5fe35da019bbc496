"""What only a CUDA device can show: that nothing between steps waits for it, and that the images are the same there."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, get_args

import pytest
import torch

from darkroom.catalogue import SchedulerName
from gpu_worker.engine.call import Call
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees, Profile
from gpu_worker.engine.runner import Runner
from gpu_worker.engine.unbatchable import Unbatchable
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.memory.device import CudaMemory
from gpu_worker.profiling.compiling import Compiled, compiling
from gpu_worker.profiling.loading import Nobody
from gpu_worker.profiling.warm_up import warm_up_requests
from models.cpu_schedule import keep_on_cpu
from models.loading import load_pipeline
from models.schedulers import own_scheduler
from models.transfer import Descent
from models.tuning import denoiser_of
from tests.gpu_worker.engine.batch_mates import alone, difference, together
from tests.gpu_worker.engine.orders import mixed_orders
from tests.models.conftest import TinyCard
from tests.models.tiny.pipelines import FAMILIES, Family

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]

DEVICE = "cuda:0"
# On [0, 1]. Kernels for one row and for many differ more than on the CPU.
TOLERANCE = 2e-3
STEPS = 4


@pytest.fixture(autouse=True)
def exact_products() -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@contextmanager
def nobody_waits() -> Iterator[None]:
    """Whatever waits for the device in here raises. It counts for the whole process, so nothing else may run."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_mixed_batch_draws_what_each_job_draws_alone(family: Family, tiny_card: TinyCard) -> None:
    base, orders = loaded(tiny_card, family), mixed_orders(tiny_card(family), family)

    batch_mates = together(base, orders, device=DEVICE)

    kept = [number for number, each in enumerate(orders) if each.canceled_at_call is None]
    expected = [alone(base, orders[number]) for number in kept]
    assert difference([batch_mates.images[number] for number in kept], expected) < TOLERANCE
    assert max(batch_mates.rows) >= 5


# The others look into their masks: Qwen-Image for the longest prompt, Z-Image for its lists.
@pytest.mark.parametrize("family", ["sd", "sdxl", "sd3", "flux", "flux2"])
def test_no_step_waits_for_the_device_in_the_engines_thread(family: Family, tiny_card: TinyCard) -> None:
    calls = [call for call in tapped(tiny_card, family) if call.entry.is_step]
    pairs = [[one, other] for one, other in pairwise(calls) if one.fit == other.fit]
    runner = Runner(Knees(64), Unbatchable(), hand_back, DEVICE)
    with torch.no_grad():
        runner.run(pairs[0])  # the first allocates what stays

        with nobody_waits():
            for batch in (*pairs, [calls[0]]):
                runner.run(batch)

    assert pairs
    assert all(call.error is None for call in calls)


@pytest.mark.parametrize("name", get_args(SchedulerName))
def test_no_step_of_a_scheduler_waits_for_the_device(name: SchedulerName, tiny_card: TinyCard) -> None:
    scheduler: Any = own_scheduler(loaded(tiny_card, "sd3" if name.startswith("flow_") else "sd"), name)
    keep_on_cpu(scheduler)
    draws = "generator" in inspect.signature(scheduler.step).parameters
    noise = {"generator": torch.Generator().manual_seed(0)} if draws else {}
    scheduler.set_timesteps(STEPS, device=DEVICE)

    def run() -> torch.Tensor:
        latents = torch.ones(1, 4, 8, 8, device=DEVICE)
        for timestep in scheduler.timesteps:
            latents = scheduler.step(latents * 0.1, timestep, latents, **noise, return_dict=False)[0]
        return latents

    run()  # the first allocates what stays
    scheduler.set_timesteps(STEPS, device=DEVICE)
    with nobody_waits():
        latents = run()

    assert torch.isfinite(latents).all()


def test_an_image_comes_down_beside_the_next_forward_and_whole() -> None:
    descent = Descent(torch.device(DEVICE))
    batch = torch.rand(4, 3, 64, 64, device=DEVICE).contiguous(memory_format=torch.channels_last)
    expected = batch.cpu()

    with nobody_waits():
        landings = [descent.begin((batch[index : index + 1],)) for index in range(4)]
        del batch
        for _ in range(8):
            torch.zeros(4, 3, 64, 64, device=DEVICE)  # would overwrite what was let go too early

    for index, landing in enumerate(landings):
        (image,) = landing.wait()
        assert not image.is_cuda
        assert torch.equal(image, expected[index : index + 1])


def test_compiled_blocks_draw_the_same_and_are_compiled_no_more(tiny_card: TinyCard) -> None:
    from torch import _dynamo as dynamo

    base = loaded(tiny_card, "sd")
    orders = mixed_orders(tiny_card("sd"), "sd")[:3]
    expected = [alone(base, each) for each in orders]
    [call] = {call.fit: call for call in tapped(tiny_card, "sd", base) if call.entry.is_step}.values()
    compiled, knees = Compiled(denoiser_of(base)), Knees(8)
    try:
        with torch.no_grad(), compiling():
            knees.measured(call.fit, Profile(8), compiled.warm(call, 8))

        torch.compiler.set_stance("fail_on_recompile")
        batch_mates = together(base, orders, knees, device=DEVICE)
    finally:
        torch.compiler.set_stance("default")
        dynamo.reset()

    assert difference(batch_mates.images, expected) < TOLERANCE


def test_the_memory_of_a_forward_is_what_it_held_at_most() -> None:
    memory = CudaMemory(DEVICE)

    taken = memory.taken_by(lambda: torch.ones(2**20, device=DEVICE) + 1)
    free = memory.free_bytes()

    assert 8 * 2**20 <= taken < 10 * 2**20
    assert free is not None
    assert 0 < free < torch.cuda.get_device_properties(DEVICE).total_memory


def loaded(tiny_card: TinyCard, family: Family) -> Any:
    return load_pipeline(tiny_card(family), device=DEVICE, dtype=torch.float32)


def tapped(tiny_card: TinyCard, family: Family, base: Any = None) -> list[Call]:
    """The calls of one job, with timesteps as lanes have them."""
    card = tiny_card(family)
    engine = Engine(Knees(8), DEVICE)
    engine.start()
    try:
        lane = PipelineLane(card, base or loaded(tiny_card, family), engine)
        [request] = warm_up_requests(card)
        with engine.tapped() as calls:
            lane.run(request.model_copy(update={"steps": STEPS}), Nobody())
    finally:
        engine.stop()
    return calls


def hand_back(batch: Sequence[Call], results: Sequence[Any]) -> None:
    for call, result in zip(batch, results, strict=True):
        call.finish(result)
