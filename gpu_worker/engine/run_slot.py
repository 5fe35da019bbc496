"""A lane's place at the engine: holds its current run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from gpu_worker.engine.call import Run
from gpu_worker.engine.engine import LOOK_S, Engine


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
