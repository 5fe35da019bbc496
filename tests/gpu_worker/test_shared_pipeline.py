"""The engine by itself: many callers, one pipeline, and each has what it would have alone."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gpu_worker.engine.lane_line import Closed, LineFull
from gpu_worker.shared_pipeline import SharedPipeline
from tests.models.conftest import TinyPipeline
from tests.models.tiny.pipelines import SIDE

PATIENCE_S = 60
TOLERANCE = 1e-4


@pytest.fixture
def base(tiny_pipeline: TinyPipeline) -> Any:
    return tiny_pipeline("sd")


@pytest.fixture
def shared(base: Any) -> Iterator[SharedPipeline]:
    with SharedPipeline(base, lanes=4) as shared:
        yield shared


@pytest.fixture
def one_lane(base: Any) -> Iterator[SharedPipeline]:
    with SharedPipeline(base, lanes=1, most_waiting=1) as shared:
        yield shared


def request(number: int, steps: int = 3) -> dict[str, Any]:
    return {
        "prompt": f"picture {number}",
        "num_inference_steps": steps,
        "guidance_scale": 1.0 if number % 2 else 4.0,
        "width": SIDE,
        "height": SIDE,
        "generator": torch.Generator("cpu").manual_seed(number),
        "output_type": "np",
    }


MIX = [(number, 2 + number) for number in range(6)]


def alone(base: Any, mix: Sequence[tuple[int, int]] = MIX) -> list[Any]:
    return [base(**request(*one)).images for one in mix]


def difference(outputs: Sequence[Any], images: Sequence[Any]) -> float:
    return max(float(np.abs(output.images - image).max()) for output, image in zip(outputs, images, strict=True))


class Held:
    """A call's progress that keeps its lane until it is let go."""

    def __init__(self) -> None:
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, _step: int, _steps: int) -> None:
        self.has_begun.set()
        assert self.may_go_on.wait(PATIENCE_S)


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.may_go_on.set()


def test_callers_in_threads_share_forwards_and_draw_what_the_plain_pipeline_draws(base: Any) -> None:
    expected, rows, together = alone(base), list[int](), threading.Barrier(4)

    def meet(step: int, _steps: int) -> None:
        if step == 1:
            together.wait(PATIENCE_S)

    def count(_unet: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        rows.append(len(next(value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor))))

    hook = base.unet.register_forward_pre_hook(count, with_kwargs=True)
    with SharedPipeline(base, lanes=4) as shared, ThreadPoolExecutor(4) as threads:
        outputs = list(threads.map(lambda one: shared(**request(*one), progress=meet), MIX[:4]))
    hook.remove()

    assert difference(outputs, expected[:4]) < TOLERANCE
    assert max(rows) > 2  # which is what a call with guidance brings


def test_a_list_is_drawn_in_the_order_of_its_requests(base: Any, shared: SharedPipeline) -> None:
    expected = alone(base)

    outputs = shared.map([request(*one) for one in MIX])

    assert difference(outputs, expected) < TOLERANCE


def test_tasks_of_asyncio_share_it_too(base: Any, shared: SharedPipeline) -> None:
    expected = alone(base)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(shared.generate(**request(*one)) for one in MIX))

    assert difference(asyncio.run(all_at_once()), expected) < TOLERANCE


def test_progress_is_told_step_by_step(shared: SharedPipeline) -> None:
    told: list[tuple[int, int]] = []

    shared(**request(0, steps=3), progress=lambda step, steps: told.append((step, steps)))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_callback_of_the_caller_s_own_is_called_as_ever(base: Any, shared: SharedPipeline) -> None:
    def darken(_pipe: Any, _index: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        return {"latents": tensors["latents"] * 0.5}

    expected = base(**request(1), callback_on_step_end=darken).images

    assert difference([shared(**request(1), callback_on_step_end=darken)], [expected]) < TOLERANCE


def test_a_canceled_call_ends_at_its_next_step_and_disturbs_no_other(base: Any, shared: SharedPipeline) -> None:
    expected, told, has_begun = alone(base, [(2, 8)]), list[int](), threading.Event()

    def tell(step: int, _steps: int) -> None:
        told.append(step)
        has_begun.set()

    unwanted = shared.submit(**request(1, steps=900), progress=tell)
    beside = shared.submit(**request(2, steps=8))
    assert has_begun.wait(PATIENCE_S)
    assert unwanted.cancel()

    with pytest.raises(CancelledError):
        unwanted.result(PATIENCE_S)
    assert difference([beside.result(PATIENCE_S)], expected) < TOLERANCE
    assert told[-1] < 900


def test_a_task_that_is_canceled_frees_its_lane(one_lane: SharedPipeline) -> None:
    async def begin_and_cancel() -> None:
        has_begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(
            one_lane.generate(**request(1, 900), progress=lambda *_: loop.call_soon_threadsafe(has_begun.set))
        )
        await has_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(begin_and_cancel())

    assert one_lane.submit(**request(2)).result(PATIENCE_S).images.shape == (1, SIDE, SIDE, 3)


def test_a_call_that_waits_can_be_canceled(one_lane: SharedPipeline, held: Held) -> None:
    first = one_lane.submit(**request(0), progress=held)
    assert held.has_begun.wait(PATIENCE_S)
    second = one_lane.submit(**request(1))

    assert second.cancel()

    assert second.cancelled()
    held.may_go_on.set()
    first.result(PATIENCE_S)


def test_what_is_urgent_takes_the_next_free_lane(base: Any, held: Held) -> None:
    order: list[str] = []
    with SharedPipeline(base, lanes=1) as shared:
        shared.submit(**request(0), progress=held)
        assert held.has_begun.wait(PATIENCE_S)
        usual = shared.submit(**request(1, 1), progress=lambda *_: order.append("usual"))
        urgent = shared.submit(**request(2, 1), progress=lambda *_: order.append("urgent"), priority=-1)

        held.may_go_on.set()
        usual.result(PATIENCE_S)
        urgent.result(PATIENCE_S)

    assert order == ["urgent", "usual"]


def test_no_more_wait_than_may(one_lane: SharedPipeline, held: Held) -> None:
    one_lane.submit(**request(0), progress=held)
    assert held.has_begun.wait(PATIENCE_S)
    waiting = one_lane.submit(**request(1))

    with pytest.raises(LineFull, match="try again later"):
        one_lane.submit(**request(2))

    waiting.cancel()
    another = one_lane.submit(**request(3))
    held.may_go_on.set()
    another.result(PATIENCE_S)


def test_what_the_pipeline_raises_reaches_its_caller_alone(base: Any, shared: SharedPipeline) -> None:
    good = shared.submit(**request(0))

    with pytest.raises(ValueError, match="divisible by 8"):
        shared(**{**request(1), "width": 30})

    assert difference([good.result(PATIENCE_S)], alone(base, [(0, 3)])) < TOLERANCE
    shared(**request(2))


def test_an_error_in_a_list_ends_the_list(shared: SharedPipeline) -> None:
    with pytest.raises(ValueError, match="divisible by 8"):
        shared.map([{**request(0), "width": 30}, *(request(number, 900) for number in range(1, 4))])

    shared(**request(2))


def test_once_closed_nothing_is_taken_and_what_waits_is_refused(base: Any, held: Held) -> None:
    shared = SharedPipeline(base, lanes=1)
    drawn = shared.submit(**request(0), progress=held)
    assert held.has_begun.wait(PATIENCE_S)
    waiting = shared.submit(**request(1))

    closing = threading.Thread(target=shared.close)
    closing.start()
    with pytest.raises(Closed, match="another SharedPipeline"):
        waiting.result(PATIENCE_S)
    held.may_go_on.set()
    closing.join(PATIENCE_S)

    assert drawn.result(PATIENCE_S).images.shape == (1, SIDE, SIDE, 3)
    with pytest.raises(Closed):
        shared(**request(2))
    shared.close()


def test_what_is_drawn_when_patience_ends_is_broken_off(base: Any) -> None:
    shared, has_begun = SharedPipeline(base, lanes=1), threading.Event()
    drawn = shared.submit(**request(1, 900), progress=lambda *_: has_begun.set())
    assert has_begun.wait(PATIENCE_S)

    shared.close(wait_s=0)

    with pytest.raises(Closed, match="while the call was drawn"):
        drawn.result(PATIENCE_S)


def test_measured_it_draws_the_same_and_leaves_torch_its_threads(base: Any, shared: SharedPipeline) -> None:
    before = torch.get_num_threads()

    shared.measure(**request(0))

    assert torch.get_num_threads() == before
    with ThreadPoolExecutor(1) as another:
        assert another.submit(torch.get_num_threads).result() == before
    assert difference(shared.map([request(*one) for one in MIX]), alone(base)) < TOLERANCE


def test_a_pipeline_that_shows_no_steps_is_refused() -> None:
    class Stepless:
        def __call__(self, prompt: str) -> str:
            return prompt

    stepless: Any = Stepless()

    with pytest.raises(ValueError, match="Stepless takes no callback_on_step_end"):
        SharedPipeline(stepless)


def test_it_needs_no_queue_no_store_and_no_settings(tmp_path: Path) -> None:
    code = "import sys, gpu_worker.shared_pipeline; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=120
    ).stdout.split()

    unwanted = ("redis", "celery", "kombu", "fastapi", "pydantic_settings", "storage", "darkroom.settings")
    assert [name for name in loaded if f"{name}.".startswith(tuple(f"{each}." for each in unwanted))] == []
