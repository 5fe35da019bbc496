"""A lane's place at the engine: holds its current run, and takes a pipeline through it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from gpu_worker.engine.call import Run
from gpu_worker.engine.engine import LOOK_S, Engine

StepDone = Callable[[int, int, Mapping[str, Any]], None]
"""Is told step, steps, and the tensors that pipelines show at a step's end. May raise, which ends the run."""


class RunSlot:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.current: Run | None = None
        self._forget: Callable[[], None] | None = None

    @property
    def shares_networks(self) -> bool:
        return self._forget is None

    def run_one_by_one(self, forget: Callable[[], None]) -> None:
        """From now on this slot's runs meet no other such slot's; `forget` clears what a run leaves in the networks."""
        self._forget = forget

    def draw(self, pipeline: Any, run: Run, step_done: StepDone, arguments: Mapping[str, Any]) -> Any:
        """One run of a pipeline over shared networks, whose output it gives. `run.work_left` is all its work."""
        work, theirs = run.work_left, arguments.get("callback_on_step_end")

        def step_ended(pipeline: Any, index: int, timestep: Any, tensors: dict[str, Any]) -> Any:
            # Second-order schedulers take more network steps than were asked for.
            step, steps = index + 1, max(index + 1, pipeline.num_timesteps)
            run.work_left = work * (1 - step / steps)
            step_done(step, steps, tensors)
            return theirs(pipeline, index, timestep, tensors) if theirs else tensors

        with self.taken(run):
            return pipeline(**{**arguments, "callback_on_step_end": step_ended})

    def taken(self, run: Run) -> AbstractContextManager[None]:
        """For one run. Raises what the run's `check` raises, if the run has to wait for others first."""
        return self._entered(run) if self._forget is None else self._in_turn(run, self._forget)

    @contextmanager
    def _entered(self, run: Run) -> Iterator[None]:
        self.current = run
        self.engine.enter(run)
        try:
            yield
        finally:
            self.current = None
            self.engine.leave(run)

    @contextmanager
    def _in_turn(self, run: Run, forget: Callable[[], None]) -> Iterator[None]:
        while not self.engine.unbatchable.turn.acquire(timeout=LOOK_S):
            run.check()
        try:
            yield
        finally:
            forget()
            self.engine.unbatchable.turn.release()
