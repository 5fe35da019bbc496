"""Starts parts, watches them, starts crashed ones again, and stops them all. Does not know what they are.

Everything that happens (an exit, a signal, work that is done) comes through one queue to the thread that
owns the supervisor; no other thread changes anything. See docs/decisions/0001-own-supervisor.md.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from darkroom.errors import StackFailed
from darkroom.local.processes.child import Child
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.part import Part
from darkroom.local.processes.restart import RestartPolicy, wait_before_restart

T = TypeVar("T")


class StopAsked(Exception):
    """Somebody wants everything stopped: Ctrl-C, SIGTERM, a closed terminal."""


@dataclass(frozen=True)
class Exited:
    child: Child


class Notice(Enum):
    STOP = "stop"
    DONE = "done"


class Supervisor:
    """A context: when it ends, however it ends, no process is left. `hear` gets each line, with its part's name.

    `stopping` is called before parts are stopped, which may take up to `grace_s`.
    """

    def __init__(
        self,
        guard: Guard,
        hear: Callable[[str, str], None],
        *,
        grace_s: float,
        policy: RestartPolicy | None = None,
        stopping: Callable[[], None] = lambda: None,
    ) -> None:
        self._guard = guard
        self._hear = hear
        self._grace_s = grace_s
        self._policy = policy or RestartPolicy()
        self._stopping = stopping
        self._children: dict[str, Child] = {}  # by part's name, in the order of their first start
        self._crashes: defaultdict[str, list[float]] = defaultdict(list)
        self._due: dict[str, float] = {}  # parts that wait for their restart, and until when
        self._events: SimpleQueue[Exited | Notice] = SimpleQueue()

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._guard.close()

    def ask_to_stop(self) -> None:
        """Safe in a signal handler and in any thread. Asked again while stopping: kill at once."""
        self._events.put(Notice.STOP)

    def start(self, part: Part) -> None:
        child = Child(part, self._hear, exited=lambda child: self._events.put(Exited(child)))
        self._children[part.name] = child
        self._guard.watch(child.group for child in self._running())
        child.release()

    def beside(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Raises StackFailed as soon as a part exits, StopAsked when asked to stop."""
        outcome: Future[T] = Future()
        Thread(target=_settle, args=(work, outcome, self._events), daemon=True).start()
        while not outcome.done():
            match self._events.get():
                case Exited(child):
                    raise StackFailed(f"{child.part.name} {child.ending()}. Its last lines:\n{child.last_lines()}")
                case Notice.STOP:
                    raise StopAsked
        return outcome.result()

    def run(self) -> None:
        """Keeps the parts running until asked to stop (returns) or one crashes too often (raises StackFailed)."""
        while True:
            try:
                event = self._events.get(timeout=self._until_next_restart())
            except Empty:
                self._restart_due()
                continue
            match event:
                case Exited(child):
                    self._plan_restart(child)
                case Notice.STOP:
                    return

    def stop(self) -> None:
        self._due.clear()
        running = self._running()
        if running:
            self._stopping()
        self._stop_all([child for child in running if not child.part.is_foundation])
        self._stop_all([child for child in running if child.part.is_foundation])
        self._guard.watch(())

    def last_lines(self, count: int) -> str:
        """Of every part."""
        return "\n".join(child.last_lines(count) for child in self._children.values())

    def _running(self) -> list[Child]:
        return [child for child in self._children.values() if not child.has_exited]

    def _until_next_restart(self) -> float | None:
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def _plan_restart(self, child: Child) -> None:
        name = child.part.name
        crashes = self._crashes[name]
        crashes.append(time.monotonic())
        wait_s = wait_before_restart(crashes, self._policy)
        if wait_s is None:
            often = f"{self._policy.crashes} times within {self._policy.window_s:.0f} s"
            raise StackFailed(f"{name} {child.ending()}; it ended {often}. Its last lines:\n{child.last_lines()}")
        self._hear(name, f"{name} {child.ending()}; starting it again in {wait_s:g} s")
        self._due[name] = crashes[-1] + wait_s

    def _restart_due(self) -> None:
        for name in [name for name, at in self._due.items() if at <= time.monotonic()]:
            del self._due[name]
            self.start(self._children[name].part)

    def _stop_all(self, children: Iterable[Child]) -> None:
        for child in children:
            child.terminate()
        if not self._all_exit(children, within_s=self._grace_s):
            for child in children:
                child.kill()
            self._all_exit(children, within_s=5)

    def _all_exit(self, children: Iterable[Child], within_s: float) -> bool:
        """False: the time is up, or we were asked once more."""
        deadline = time.monotonic() + within_s
        while not all(child.has_exited for child in children):
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return False
            if event is Notice.STOP:
                return False
        return True


def _settle(work: Callable[[], T], outcome: "Future[T]", events: "SimpleQueue[Exited | Notice]") -> None:
    try:
        outcome.set_result(work())
    except BaseException as error:  # whoever asked for the work shall have it
        outcome.set_exception(error)
    events.put(Notice.DONE)
