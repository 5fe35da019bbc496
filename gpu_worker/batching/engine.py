"""The one thread in which all networks run, so that lanes share forwards and the device has one master."""

import inspect
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
import torch

from darkroom.errors import WorkerStopping
from gpu_worker.batching.alone import Alone
from gpu_worker.batching.arguments import Fit
from gpu_worker.batching.call import Call, Entry, LanePass
from gpu_worker.batching.headroom import Headroom
from gpu_worker.batching.knees import Knees, Worth
from gpu_worker.batching.measure import measured_worth
from gpu_worker.batching.memory import Memory, memory_of
from gpu_worker.batching.pace import Pace
from gpu_worker.batching.policy import next_batch
from gpu_worker.batching.runner import Runner
from gpu_worker.batching.transfer import Descent, Landing
from gpu_worker.watchdog import Forward

log = structlog.get_logger()

# A lane that waits looks this often whether its job is still wanted.
LOOK_S = 0.5
STOP_S = 30

T = TypeVar("T")


class Engine:
    """Lanes call `run`; the engine's thread does the rest.

    `on_death` is called, in the engine's thread, when that thread ends by an error: the device is lost, and this
    process can make no more images. Jobs that were under way get WorkerStopping: they are not to blame.
    """

    def __init__(
        self,
        knees: Knees,
        device: str,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
        on_death: Callable[[BaseException], None] = lambda _error: None,
        memory: Memory | None = None,
    ) -> None:
        self.knees = knees
        self.headroom = Headroom()
        self._device = device
        self._memory = memory or memory_of(device)
        self._descent = Descent(torch.device(device)) if device.startswith("cuda") else None
        self._pace = pace or Pace(device)
        self._clock = clock
        self._on_death = on_death
        self.alone = Alone()
        self._runner = Runner(knees, self.alone, self._hand_back, device)
        self._filed = threading.Condition()
        self._waiting: list[Call] = []
        self._running: list[Call] = []
        self._inside: set[int] = set()  # ids of passes that have entered
        self._away: set[int] = set()  # those of them whose next call is to be expected
        self._is_busy = False
        self._forwards = 0
        # Jobs of the last forwards: a device that hangs shows it up to so many forwards later.
        self._last_jobs: deque[frozenset[str]] = deque(maxlen=1 + self._pace.forwards_ahead)
        self._tap: list[Call] | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Break off every call: those that wait at once, the one that runs when it is done, or after STOP_S."""
        with self._filed:
            self._is_stopping = True
            self._filed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)
        self._break_off(WorkerStopping("This worker is stopping."))

    def enter(self, lane: LanePass) -> None:
        """This lane starts a run: its first call is on its way."""
        with self._filed:
            self._inside.add(id(lane))
            self._away.add(id(lane))

    def leave(self, lane: LanePass) -> None:
        """This lane will not be back in this run: nobody need wait for it."""
        with self._filed:
            self._inside.discard(id(lane))
            self._away.discard(id(lane))
            self._pace.lane_left(id(lane))
            self._filed.notify()

    def run(self, lane: LanePass, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a network for a lane, with whichever other calls fit. Blocks the lane's thread until it is done.

        Raises what the lane's pass raises, what the network raises for this call, and WorkerStopping.
        """
        lane.check()
        call = Call(lane, entry, args, kwargs, self.alone.arguments(entry, args, kwargs), self._clock())
        if self._tap is not None:
            self._tap.append(call)
        return self._done(call)

    def forward(self) -> Forward | None:
        """What the networks are busy with now, in the engine's thread or on the device still."""
        with self._filed:
            if not self._is_busy and not self._pace.is_device_busy():
                return None
            return Forward(self._forwards, frozenset().union(*self._last_jobs))

    def stack(self) -> str:
        """Where the engine's thread is now."""
        frame = sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else ""

    @contextmanager
    def tapped(self) -> Iterator[list[Call]]:
        """The calls that lanes file meanwhile: a warm-up learns from them what there is to measure."""
        self._tap = calls = list[Call]()
        try:
            yield calls
        finally:
            self._tap = None

    def worth(self, call: Call, most_rows: int, *, compiles: bool = False) -> Worth:
        """What forwards of this call's shape are worth. Raises what the network raises."""
        return self.do(lambda: measured_worth(call, most_rows, self._device, self._memory, compiles=compiles))

    def weigh(self) -> None:
        """How much memory there is for jobs, now that a model was loaded and nothing runs."""
        self.headroom.set(self.do(self._memory.free_bytes))

    def do(self, act: Callable[[], T]) -> T:
        """Run something else in the engine's thread, in which all networks run."""
        entry = Entry("engine", "do", act, inspect.signature(act))
        result: T = self._done(Call(LanePass(0, 0.0, self._clock()), entry, (), {}, None, self._clock()))
        return result

    def _done(self, call: Call) -> Any:
        self._file(call)
        self._wait(call)
        if call.error is not None:
            raise call.error
        return call.result.wait() if isinstance(call.result, Landing) else call.result

    def _file(self, call: Call) -> None:
        with self._filed:
            if self._is_stopping:
                raise WorkerStopping("This worker is stopping.")
            self._waiting.append(call)
            self._away.discard(id(call.lane))
            self._pace.lane_returned(id(call.lane), call.filed_s, call.lane.work_left)
            self._filed.notify()

    def _wait(self, call: Call) -> None:
        """Until the call is done, or its job is not wanted any more; what runs already then runs for nobody."""
        while not call.done.wait(LOOK_S):
            try:
                call.lane.check()
            except BaseException:
                with self._filed:
                    if call in self._waiting:
                        self._waiting.remove(call)
                raise

    def _live(self) -> None:
        try:
            # As pipelines have it themselves. Some write into what a network gave them, which tensors of
            # torch.inference_mode do not allow; and it was no faster.
            with torch.no_grad():
                if self._device.startswith("cuda"):
                    torch.cuda.set_device(self._device)  # of this thread: else its events would be the first GPU's
                while batch := self._next():
                    started_s = self._clock()
                    self._pace.wait_for_device()
                    self._runner.run(batch)
                    self._pace.forward_done(self._clock() - started_s)
                    self._is_busy = False
        except BaseException as error:
            self._is_busy = False
            log.error("engine.died", exception="".join(traceback.format_exception(error)))
            self._break_off(WorkerStopping("This worker's engine has stopped."))
            self._on_death(error)
        else:
            self._break_off(WorkerStopping("This worker is stopping."))

    def _next(self) -> list[Call]:
        """The calls of the next forward; empty when the engine stops."""
        with self._filed:
            batch: list[Call] = []
            while not batch and not self._is_stopping:
                self._filed.wait_for(lambda: self._waiting or self._is_stopping)
                self._gather()
                batch = [] if self._is_stopping else self._choose()
            self._running = batch
            self._is_busy = bool(batch)
            self._forwards += 1
            self._last_jobs.append(frozenset(call.lane.job_id for call in batch if call.lane.job_id))
            self._waiting = [call for call in self._waiting if call not in batch]
            return batch

    def _gather(self) -> None:
        """Lanes that were just served are on their way back: a moment's wait makes the next forward fuller."""
        ends_s = self._clock() + self._pace.worth_waiting_s()
        while self._away and not self._is_stopping and not self._is_full() and (left := ends_s - self._clock()) > 0:
            self._filed.wait(left)

    def _is_full(self) -> bool:
        batch = self._choose()
        return bool(batch) and sum(call.rows for call in batch) >= self._most_rows(batch[0].fit)

    def _choose(self) -> list[Call]:
        return next_batch(self._waiting, self._most_rows, self._clock(), self._pace.speed)

    def _most_rows(self, fit: Fit) -> int:
        knee, affordable = self.knees.of(fit), self.headroom.rows(self.knees.peak(fit))
        return knee if affordable is None else min(knee, affordable)

    def _hand_back(self, batch: Sequence[Call], results: Sequence[Any]) -> None:
        now_s = self._clock()
        with self._filed:
            for call in batch:
                if id(call.lane) not in self._inside:  # canceled meanwhile
                    continue
                self._pace.lane_served(id(call.lane), now_s, call.lane.work_left)
                # A decoded image is the end of a run: that lane is not waited for.
                if call.entry.name != "decode":
                    self._away.add(id(call.lane))
        for call, result in zip(batch, results, strict=True):
            # All that a pipeline still does to a decoded image is to make a picture of it, which it does on the CPU.
            is_image = self._descent is not None and call.entry.name == "decode"
            call.finish(self._descent.begin(result) if self._descent and is_image else result)

    def _break_off(self, error: Exception) -> None:
        with self._filed:
            self._is_stopping = True
            calls = [call for call in (*self._running, *self._waiting) if not call.done.is_set()]
            self._waiting = []
        for call in calls:
            call.break_off(error)
