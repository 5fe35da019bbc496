"""Where all networks run, so that lanes share forwards and the device has one master.

On a GPU that is one thread. On a CPU there may be several, each with some of the cores, and with copies of the networks
that share their weights: see cores.py.
"""

import inspect
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog
import torch

from darkroom.errors import WorkerStopping
from gpu_worker.engine.call import Call, Entry, Run
from gpu_worker.engine.cores import Division, NotCopied, Originals, Replicas
from gpu_worker.engine.knees import Knees
from gpu_worker.engine.runner import InFlight, Runner
from gpu_worker.engine.scheduler import Scheduler
from gpu_worker.engine.tempo import Tempo
from gpu_worker.engine.unbatchable import Unbatchable
from gpu_worker.engine.watchdog import Forward
from gpu_worker.memory.budget import MemoryBudget
from gpu_worker.memory.device import Memory, memory_of
from models.transfer import Descent, Landing

log = structlog.get_logger()

# A lane that waits looks this often whether its job is still wanted.
LOOK_S = 0.5
STOP_S = 30

T = TypeVar("T")


class Engine:
    """Lanes call `run`; the engine's threads do the rest.

    `on_death` is called, in an engine's thread, when that thread ends by an error: the device is lost, and this
    process can make no more images. Jobs that were under way get WorkerStopping: they are not to blame.
    """

    def __init__(
        self,
        knees: Knees,
        device: str,
        clock: Callable[[], float] = time.monotonic,
        tempo: Tempo | None = None,
        on_death: Callable[[BaseException], None] = lambda _error: None,
        memory: Memory | None = None,
        in_flight: InFlight | None = None,
    ) -> None:
        self.knees = knees
        self.memory_budget = MemoryBudget()
        self.unbatchable = Unbatchable()
        self.device = device
        self.memory = memory or memory_of(device)
        self._descent = Descent(torch.device(device)) if device.startswith("cuda") else None
        self._in_flight = in_flight or InFlight(device)
        self._clock = clock
        self._on_death = on_death
        self._scheduler = Scheduler(knees, self.memory_budget, tempo or Tempo(), self._in_flight, clock)
        self._threads: dict[Runner, threading.Thread] = {}
        self._first = self._hire(Originals())
        self._others: list[Runner] = []
        self._tap: list[Call] | None = None

    def start(self) -> None:
        self._threads[self._first].start()

    def spread(self, entries: Collection[Entry], divide_cores: Callable[[int], Division]) -> None:
        """On a CPU: run these networks in several threads, as far as they can be copied.

        To be called for each model before its first job. `divide_cores` is told how many there are. It is asked until
        it once says that there shall be several forwards at once, and in the engine's first thread.
        """
        if self.device != "cpu":
            return
        if not self._others:
            self._divide_cores(divide_cores)
        for runner in self._others:
            for entry in entries:
                self._teach(runner, entry)

    @property
    def forwards_at_once(self) -> int:
        return len(self._threads)

    def stop(self) -> None:
        """Break off every call: those that wait at once, those that run when they are done, or after STOP_S."""
        _break_off(self._scheduler.close(), "This worker is stopping.")
        ends_s = time.monotonic() + STOP_S
        for runner, thread in self._threads.items():
            if thread.is_alive():
                thread.join(timeout=max(0.0, ends_s - time.monotonic()))
            _break_off(self._scheduler.give_up(runner), "This worker is stopping.")

    def enter(self, run: Run) -> None:
        """This lane starts a run: its first call is on its way."""
        self._scheduler.enter(run)

    def leave(self, run: Run) -> None:
        """This lane will not be back in this run: nobody need wait for it."""
        self._scheduler.leave(run)

    def run(self, run: Run, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a network for a lane, with whichever other calls fit. Blocks the lane's thread until it is done.

        Raises what the run's `check` raises, what the network raises for this call, and WorkerStopping.
        """
        run.check()
        call = Call(run, entry, args, kwargs, self.unbatchable.arguments(entry, args, kwargs), self._clock())
        if self._tap is not None:
            self._tap.append(call)
        return self._done(call)

    def forward(self) -> Forward | None:
        """What the networks have been busy with longest, in an engine's thread or on the device still."""
        return self._scheduler.forward()

    def stack(self) -> str:
        """Where the thread of that forward is now."""
        thread = self._threads[self._scheduler.oldest() or self._first]
        frame = sys._current_frames().get(thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else ""

    @contextmanager
    def tapped(self) -> Iterator[list[Call]]:
        """The calls that lanes file meanwhile: a warm-up learns from them what there is to measure."""
        self._tap = calls = list[Call]()
        try:
            yield calls
        finally:
            self._tap = None

    def weigh(self) -> None:
        """How much memory there is for jobs, now that a model was loaded and nothing runs."""
        self.memory_budget.set(self.do(self.memory.free_bytes))

    def do(self, act: Callable[[], T]) -> T:
        """Run something else in the engine's first thread, which has the networks themselves."""
        entry = Entry("engine", "do", act, inspect.signature(act))
        result: T = self._done(Call(Run(0, 0.0, self._clock()), entry, (), {}, None, self._clock()))
        return result

    def _hire(self, networks: Originals | Replicas, threads: int | None = None) -> Runner:
        runner = Runner(self.knees, self.unbatchable, self._hand_back, self.device, networks)
        name = f"engine-{len(self._threads)}"
        self._threads[runner] = threading.Thread(target=self._live, args=(runner, threads), name=name, daemon=True)
        self._scheduler.join(runner)
        return runner

    def _divide_cores(self, divide_cores: Callable[[int], Division]) -> None:
        def choose() -> tuple[int, Division]:
            # torch has a number of threads for each thread that calls it.
            cores = torch.get_num_threads()
            division = divide_cores(cores)
            torch.set_num_threads(division.threads)
            return cores, division

        cores, division = self.do(choose)
        self._others = [self._hire(Replicas(), division.threads) for _ in range(1, division.forwards)]
        for runner in self._others:
            self._threads[runner].start()
        log.info("engine.cores_divided", cores=cores, threads=division.threads, forwards_at_once=division.forwards)

    def _teach(self, runner: Runner, entry: Entry) -> None:
        """A network that cannot be copied goes on to run in the first thread."""
        try:
            runner.networks.add(entry)
        except NotCopied as error:
            self.unbatchable.warn(entry, f"runs in one thread: {error}")

    def _done(self, call: Call) -> Any:
        if not self._scheduler.file(call):
            raise WorkerStopping("This worker is stopping.")
        self._wait(call)
        if call.error is not None:
            raise call.error
        return call.result.wait() if isinstance(call.result, Landing) else call.result

    def _wait(self, call: Call) -> None:
        """Until the call is done, or its job is not wanted any more; what runs already then runs for nobody."""
        while not call.done.wait(LOOK_S):
            try:
                call.run.check()
            except BaseException:
                self._scheduler.withdraw(call)
                raise

    def _live(self, runner: Runner, threads: int | None) -> None:
        try:
            if threads is not None:
                torch.set_num_threads(threads)
            # As pipelines have it themselves. Some write into what a network gave them, which tensors of
            # torch.inference_mode do not allow; and it was no faster.
            with torch.no_grad():
                if self.device.startswith("cuda"):
                    torch.cuda.set_device(self.device)  # of this thread: else its events would be the first GPU's
                while self._forward(runner):
                    pass
        except BaseException as error:
            log.error("engine.died", exception="".join(traceback.format_exception(error)))
            reason = "This worker's engine has stopped."
            _break_off([*self._scheduler.close(), *self._scheduler.give_up(runner)], reason)
            self._on_death(error)

    def _forward(self, runner: Runner) -> bool:
        """Whether there was one; False at the end."""
        # The device first, then the choice: an urgent call that comes meanwhile is in the very next forward.
        began_s = self._clock()
        self._in_flight.throttle()
        device_s = self._clock() - began_s
        batch = self._scheduler.fetch(runner)
        if not batch:
            return False
        began_s = self._clock()
        runner.run(batch)
        self._scheduler.forward_done(runner, device_s + self._clock() - began_s)
        return True

    def _hand_back(self, batch: Sequence[Call], results: Sequence[Any]) -> None:
        self._scheduler.served(batch)
        for call, result in zip(batch, results, strict=True):
            # All that a pipeline still does to a decoded image is to make a picture of it, which it does on the CPU.
            is_image = self._descent is not None and call.entry.name == "decode"
            call.finish(self._descent.begin(result) if self._descent and is_image else result)


def _break_off(calls: Sequence[Call], reason: str) -> None:
    for call in calls:
        call.break_off(WorkerStopping(reason))
