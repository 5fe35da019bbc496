"""What a lane files: one call of a shared network. And the run that it belongs to."""

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from gpu_worker.engine.calls.arguments import Arguments, Fit


@dataclass(frozen=True)
class Entry:
    """A way into a real network: its own call, or a method such as a VAE's `decode`."""

    network: str
    name: str
    run: Callable[..., Any]
    """Tells networks of one class apart: SD3 has two text encoders of the same."""
    signature: inspect.Signature = field(compare=False)
    is_step: bool = True
    """False for what is called once or twice a job, before its steps or after them: text encoders, autoencoders."""


class Reuse(Protocol):
    """Of one run: what its denoiser said at earlier steps."""

    def answer(self, entry: Entry, args: Sequence[Any], kwargs: Mapping[str, Any], compute: Callable[[], Any]) -> Any:
        """What the network says, which `compute` asks, or what it would say."""


@dataclass
class Run:
    """One run of a lane. The lane keeps it up to date; the engine only reads it."""

    priority: int
    """0 goes before 1."""
    work_left: float
    """Megapixel-steps until the job is done."""
    entered_s: float
    check: Callable[[], None] = field(default=lambda: None)
    """Raises what ends the run: a cancel, a lost lease, a deadline, a stop."""
    job_id: str = ""
    reuse: Reuse | None = None
    """Answers some of the denoiser's calls from memory, for jobs that want it."""


@dataclass(frozen=True)
class Urgency:
    """What the policy knows of a call."""

    priority: int
    work_left: float
    waited_s: float
    is_step: bool = True


@dataclass(eq=False)
class Call:
    """Filled in by the engine: `result` or `error`, then `done`."""

    run: Run
    entry: Entry
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    arguments: Arguments | None
    """None for a call that must run alone."""
    filed_s: float
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: BaseException | None = None

    @property
    def rows(self) -> int:
        return self.arguments.rows if self.arguments else 1

    @cached_property
    def fit(self) -> Fit:
        """Equal for calls that can share a forward."""
        return (self.entry, *self.arguments.fit) if self.arguments else ("alone", id(self))

    def urgency(self, now_s: float) -> Urgency:
        return Urgency(self.run.priority, self.run.work_left, now_s - self.run.entered_s, self.entry.is_step)

    def finish(self, result: Any) -> None:
        self.result = result
        self.done.set()

    def break_off(self, error: BaseException) -> None:
        self.error = error
        self.done.set()
