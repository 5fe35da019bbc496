"""A lane's seat at the engine: holds the pass of its current run."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from gpu_worker.engine.call import LanePass
from gpu_worker.engine.engine import LOOK_S, Engine


class Seat:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.current: LanePass | None = None
        self._forget: Callable[[], None] | None = None

    @property
    def shares_networks(self) -> bool:
        return self._forget is None

    def run_one_by_one(self, forget: Callable[[], None]) -> None:
        """From now on this seat's runs meet no other such seat's; `forget` clears what a run leaves in the networks."""
        self._forget = forget

    def taken(self, lane_pass: LanePass) -> AbstractContextManager[None]:
        """For one run. Raises what the pass raises, if the run has to wait for others first."""
        return self._entered(lane_pass) if self._forget is None else self._in_turn(lane_pass, self._forget)

    @contextmanager
    def _entered(self, lane_pass: LanePass) -> Iterator[None]:
        self.current = lane_pass
        self.engine.enter(lane_pass)
        try:
            yield
        finally:
            self.current = None
            self.engine.leave(lane_pass)

    @contextmanager
    def _in_turn(self, lane_pass: LanePass, forget: Callable[[], None]) -> Iterator[None]:
        while not self.engine.alone.turn.acquire(timeout=LOOK_S):
            lane_pass.check()
        try:
            yield
        finally:
            forget()
            self.engine.alone.turn.release()
