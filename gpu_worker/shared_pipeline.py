"""The engine by itself: a loaded pipeline, for as many callers as one likes, whose calls share forwards.

Needs no queue, no store and no settings. What a call gives depends on its own arguments alone.
"""

import asyncio
import inspect
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import torch

from darkroom.errors import WorkerStopping
from gpu_worker.engine.call import Call, Run
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.engine.lane_line import Closed, LaneLine, best_order
from gpu_worker.engine.proxy import share_networks
from gpu_worker.engine.run_slot import RunSlot
from gpu_worker.profiling.measure import keep_unequal_alone, profile_of, spread_over_cores
from models.lane_pipeline import choose_scheduler, lane_pipeline

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

Progress = Callable[[int, int], object]
"""Is told how many steps of how many are done, in the lane's thread."""

# Of a pipeline that does not say how large it draws.
USUAL_SIDE = 1024
STOP_S = 5.0


class Drawing(Future[Any]):
    """One call of the pipeline: waiting, drawn, or done. Also for `asyncio.wrap_future`."""

    def __init__(self, arguments: Mapping[str, Any], priority: int, work: float, progress: Progress | None) -> None:
        super().__init__()
        self.arguments = arguments
        self.priority = priority
        self.work = work
        self._progress = progress
        self._is_unwanted = threading.Event()

    def cancel(self) -> bool:
        """Also while it is drawn: it ends at its next step or call of a network, and `result` raises CancelledError."""
        self._is_unwanted.set()
        return super().cancel() or not self.done()

    def check(self) -> None:
        if self._is_unwanted.is_set():
            raise CancelledError

    def step_done(self, step: int, steps: int, _tensors: Mapping[str, Any]) -> None:
        self.check()
        if self._progress:
            self._progress(step, steps)


class SharedPipeline:
    """`lanes` calls are drawn at once; the others wait, `most_waiting` at most, by priority and then as they came.

    The pipeline is loaded and on its device, and is not to be called by itself meanwhile. To be closed, or used as a
    context. In each way of calling, `priority` (smaller goes first) and `progress` are ours; all else is the
    pipeline's.
    """

    def __init__(self, pipeline: "DiffusionPipeline", lanes: int = 8, *, most_waiting: int = 1000) -> None:
        parameters = inspect.signature(type(pipeline).__call__).parameters
        if "callback_on_step_end" not in parameters:
            raise ValueError(
                f"{type(pipeline).__name__} takes no callback_on_step_end, by which steps are seen: call it by itself."
            )
        self._base = pipeline
        self._steps = getattr(parameters.get("num_inference_steps"), "default", None) or 1
        self._side = _default_side(pipeline)
        self._most_rows = 2 * lanes  # guidance makes two rows of one image
        self._line: LaneLine[Drawing] = LaneLine(most_waiting)
        self._engine = Engine(Knees(self._most_rows), str(pipeline.device), on_death=self._died)
        self._engine.start()
        self._on_cuda = pipeline.device.type == "cuda"
        self._threads = [
            threading.Thread(target=self._live, args=self._lane(), name=f"lane-{number}", daemon=True)
            for number in range(lanes)
        ]
        with _own_thread_count():
            self._engine.do(_number_of_threads)  # before lanes say how many they want for themselves
            self._lanes_ready = threading.Barrier(lanes + 1)
            for thread in self._threads:
                thread.start()
            self._lanes_ready.wait()

    def __call__(self, *, priority: int = 0, progress: Progress | None = None, **arguments: Any) -> Any:
        """What the pipeline gives for these arguments. Blocks; from as many threads as one likes."""
        drawing = self.submit(priority=priority, progress=progress, **arguments)
        try:
            return drawing.result()
        except BaseException:  # Ctrl-C, above all
            drawing.cancel()
            raise

    async def generate(self, *, priority: int = 0, progress: Progress | None = None, **arguments: Any) -> Any:
        """The same for asyncio. A task that is canceled cancels it."""
        return await asyncio.wrap_future(self.submit(priority=priority, progress=progress, **arguments))

    def submit(self, *, priority: int = 0, progress: Progress | None = None, **arguments: Any) -> Drawing:
        """The same without waiting. Raises LineFull, Closed."""
        drawing = Drawing(arguments, priority, self._work(arguments), progress)
        self._line.put(drawing)
        return drawing

    def map(self, requests: Iterable[Mapping[str, Any]], *, priority: int = 0) -> list[Any]:
        """Draws them all, in the order that fills forwards best; gives results in the order of the requests.

        The first error is raised, and ends what is not done yet. Nobody is refused for want of room.
        """
        drawings = [Drawing(request, priority, self._work(request), None) for request in requests]
        shapes = [(each.arguments.get("width"), each.arguments.get("height")) for each in drawings]
        try:
            for number in best_order([each.work for each in drawings], shapes):
                self._line.put(drawings[number], is_bounded=False)
            return [drawing.result() for drawing in drawings]
        finally:
            for drawing in drawings:
                drawing.cancel()

    def measure(self, **arguments: Any) -> None:
        """Finds out by two calls of these arguments how many rows a forward is worth, and on a CPU how many cores.

        Until then every lane may be in a forward. To be called before others are, and once for each size.
        """
        first, second = (self._calls_of({**arguments, "generator": _generator(seed)}) for seed in (0, 1))
        calls = {call.fit: call for call in first}.values()
        keep_unequal_alone(first, second, self._engine)
        with _own_thread_count():
            spread_over_cores(calls, self._engine)
        for call in calls:
            self._engine.knees.measured(call.fit, profile_of(call, self._most_rows, self._engine))

    def close(self, wait_s: float = 60.0) -> None:
        """What waits is refused, and what is drawn may end within `wait_s`; after that it is broken off."""
        self._refuse_more("This pipeline is closed: make another SharedPipeline.")
        until_s = time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(timeout=max(0.0, until_s - time.monotonic()))
        self._engine.stop()
        for thread in self._threads:
            thread.join(timeout=STOP_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lane(self) -> tuple[RunSlot, "DiffusionPipeline"]:
        slot, pipeline = RunSlot(self._engine), lane_pipeline(self._base)
        share_networks(pipeline, slot)
        return slot, pipeline

    def _live(self, slot: RunSlot, pipeline: "DiffusionPipeline") -> None:
        # What lanes compute themselves is little; teams of threads for it would keep cores from the networks.
        torch.set_num_threads(1)
        self._lanes_ready.wait()
        while drawing := self._line.next():
            if drawing.set_running_or_notify_cancel():
                self._draw(drawing, slot, pipeline)

    def _draw(self, drawing: Drawing, slot: RunSlot, pipeline: "DiffusionPipeline") -> None:
        try:
            choose_scheduler(pipeline, self._base, None, stays_on_cpu=slot.shares_networks and self._on_cuda)
            run = Run(drawing.priority, drawing.work, time.monotonic(), drawing.check)
            drawing.set_result(slot.draw(pipeline, run, drawing.step_done, drawing.arguments))
        except WorkerStopping:
            drawing.set_exception(Closed("This pipeline was closed, or its device lost, while the call was drawn."))
        except BaseException as error:
            drawing.set_exception(error)

    def _died(self, error: BaseException) -> None:
        self._refuse_more(f"The device was lost to {type(error).__name__}: load the pipeline anew.")

    def _refuse_more(self, reason: str) -> None:
        for drawing in self._line.close(reason):
            if drawing.set_running_or_notify_cancel():
                drawing.set_exception(Closed(reason))

    def _calls_of(self, arguments: Mapping[str, Any]) -> list[Call]:
        with self._engine.tapped() as calls:
            self(**arguments)
        return calls

    def _work(self, arguments: Mapping[str, Any]) -> float:
        """Megapixel-steps: by them the engine lets the shortest go first."""

        def given(name: str, otherwise: Any) -> Any:
            value = arguments.get(name)
            return otherwise if value is None else value

        steps = given("num_inference_steps", self._steps)
        prompt = arguments.get("prompt")
        images = given("num_images_per_prompt", 1) * (len(prompt) if isinstance(prompt, list) else 1)
        return float(steps * images * given("width", self._side) * given("height", self._side) / 1e6)


def _default_side(pipeline: Any) -> int:
    """Of an image for which no size is asked."""
    denoiser = getattr(pipeline, "unet", None)
    latents = getattr(pipeline, "default_sample_size", None) or getattr(
        getattr(denoiser, "config", None), "sample_size", None
    )
    scale = getattr(pipeline, "vae_scale_factor", None)
    return latents * scale if isinstance(latents, int) and isinstance(scale, int) else USUAL_SIDE


def _generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def _number_of_threads() -> int:
    """torch settles it at the first question, for the thread that asks."""
    return torch.get_num_threads()


@contextmanager
def _own_thread_count() -> Iterator[None]:
    """torch has a number of threads for each thread, and gives a new one the last that any thread asked for."""
    count = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(count)
