"""Where lanes file their calls, and the engine's threads fetch them: what waits, what runs, who will soon be back."""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gpu_worker.engine.call import Call, Run
from gpu_worker.engine.calls.arguments import Fit
from gpu_worker.engine.knees import Knees
from gpu_worker.engine.policy import next_of_groups
from gpu_worker.engine.runner import InFlight, Runner
from gpu_worker.engine.tempo import Tempo
from gpu_worker.engine.waiting import Key, WaitingCalls
from gpu_worker.engine.watchdog import Forward
from gpu_worker.memory.budget import MemoryBudget


@dataclass(frozen=True)
class Running:
    number: int
    calls: Sequence[Call]

    @property
    def jobs(self) -> frozenset[str]:
        return frozenset(call.run.job_id for call in self.calls if call.run.job_id)


class Scheduler:
    """Everything under one lock."""

    def __init__(
        self, knees: Knees, memory_budget: MemoryBudget, tempo: Tempo, in_flight: InFlight, clock: Callable[[], float]
    ) -> None:
        self._knees = knees
        self._memory_budget = memory_budget
        self._tempo = tempo
        self._in_flight = in_flight
        self._clock = clock
        self._changed = threading.Condition()
        self._runners: list[Runner] = []
        self._waiting = WaitingCalls()
        self._running: dict[Runner, Running] = {}
        self._inside: set[int] = set()  # ids of runs that have entered
        self._away: dict[int, Run] = {}  # those of them whose next call is to be expected
        self._forwards = 0
        # Jobs of the last forwards: a device that hangs shows it up to so many forwards later.
        self._last_jobs: deque[frozenset[str]] = deque(maxlen=1 + in_flight.most)
        self._is_closed = False

    def enter(self, run: Run) -> None:
        """This lane's first call is on its way."""
        with self._changed:
            self._inside.add(id(run))
            self._away[id(run)] = run

    def leave(self, run: Run) -> None:
        """This lane will not be back: nobody need wait for it."""
        with self._changed:
            self._inside.discard(id(run))
            self._away.pop(id(run), None)
            self._tempo.lane_left(id(run))
            self._changed.notify_all()

    def file(self, call: Call) -> bool:
        """False when the scheduler is closed."""
        with self._changed:
            if self._is_closed:
                return False
            group = self._waiting.add(call)
            self._away.pop(id(call.run), None)
            self._tempo.lane_returned(id(call.run), call.filed_s, call.run.work_left)
            # Whoever gathers a batch need not look at each call: the first of its kind may be more urgent than those
            # that wait already, and after the last there is nothing to wait for.
            if len(group) == 1 or not self._away or self._is_full(group):
                self._changed.notify_all()
            return True

    def withdraw(self, call: Call) -> None:
        """Too late for a call that runs: then it runs for nobody."""
        with self._changed:
            if call in self._waiting:
                self._waiting.remove([call])

    def join(self, runner: Runner) -> None:
        """From now on this runner fetches here too."""
        with self._changed:
            self._runners.append(runner)

    def fetch(self, runner: Runner) -> Sequence[Call]:
        """The calls of this runner's next forward. Waits until there are some; empty when the scheduler is closed."""
        with self._changed:
            batch: list[Call] = []
            while not batch and not self._is_closed:
                self._changed.wait_for(lambda: self._is_closed or self._within_reach(runner))
                self._gather(runner)
                batch = [] if self._is_closed else self._choose(runner, self._share)
            if batch:
                self._forwards += 1
                running = self._running[runner] = Running(self._forwards, batch)
                self._last_jobs.append(running.jobs)
                self._waiting.remove(batch)
            return batch

    def served(self, calls: Sequence[Call]) -> None:
        """These are about to get their results, and most of their lanes will be back with another call."""
        now_s = self._clock()
        with self._changed:
            for call in calls:
                if id(call.run) not in self._inside:  # canceled meanwhile
                    continue
                self._tempo.lane_served(id(call.run), now_s, call.run.work_left)
                # A decoded image is the end of a run: that lane is not waited for.
                if call.entry.name != "decode":
                    self._away[id(call.run)] = call.run

    def forward_done(self, runner: Runner, taken_s: float) -> None:
        with self._changed:
            self._tempo.forward_done(taken_s, at_once=len(self._running))
            self._in_flight.launched()
            del self._running[runner]

    def close(self) -> Sequence[Call]:
        """From now on there is nothing to file or fetch. Gives the calls that waited."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            return self._waiting.clear()

    def give_up(self, runner: Runner) -> Sequence[Call]:
        """What this runner was at, and will not finish; nothing if it was idle."""
        with self._changed:
            running = self._running.pop(runner, None)
            return [call for call in running.calls if not call.done.is_set()] if running else []

    def oldest(self) -> Runner | None:
        """Whose forward runs longest."""
        with self._changed:
            return min(self._running, key=lambda runner: self._running[runner].number, default=None)

    def forward(self) -> Forward | None:
        """What runs longest, or what the device is busy with still."""
        with self._changed:
            oldest = min(self._running.values(), key=lambda running: running.number, default=None)
            if oldest is None and self._in_flight.is_empty():
                return None
            if oldest is not None and not self._in_flight.most:
                return Forward(oldest.number, oldest.jobs)
            return Forward(self._forwards, frozenset().union(*self._last_jobs))

    def _within_reach(self, runner: Runner) -> Mapping[Key, Sequence[Call]]:
        return self._waiting.within_reach(runner.can_run)

    def _gather(self, runner: Runner) -> None:
        """Lanes that were just served are on their way back: a moment's wait makes the next forward fuller."""
        began_s = self._clock()
        while self._away and not self._is_closed:
            left = began_s + self._worth_waiting_s(runner) - self._clock()
            if left <= 0:
                return
            self._changed.wait(left)

    def _worth_waiting_s(self, runner: Runner) -> float:
        batch = self._choose(runner, self._most_rows)
        if batch and any(run.priority < batch[0].run.priority for run in self._away.values()):
            return self._tempo.worth_waiting_s(is_urgent=True)
        return 0 if batch and self._is_full(batch) else self._tempo.worth_waiting_s()

    def _is_full(self, batch: Sequence[Call]) -> bool:
        runs_alone = batch[0].arguments is None
        return runs_alone or sum(call.rows for call in batch) >= self._most_rows(batch[0].fit)

    def _choose(self, runner: Runner, knee_of: Callable[[Fit], int]) -> list[Call]:
        return next_of_groups(self._within_reach(runner), knee_of, self._clock(), self._tempo.speed)

    def _most_rows(self, fit: Fit) -> int:
        knee, affordable = self._knees.of(fit), self._memory_budget.rows(self._knees.peak(fit))
        return knee if affordable is None else min(knee, affordable)

    def _share(self, fit: Fit) -> int:
        """Of one runner: no more than the knee, and something is left for others who have nothing to do."""
        calls = self._waiting.fitting(fit)
        idle = sum(runner not in self._running and runner.can_run(calls[0].entry) for runner in self._runners)
        rows = sum(call.rows for call in calls)
        return min(self._most_rows(fit), -(-rows // max(1, idle)))
