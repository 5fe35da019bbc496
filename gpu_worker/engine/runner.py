"""Runs a batch: its network once, or as often as it takes for a failure to hit the guilty call alone.

A runner belongs to one thread.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog
import torch

from gpu_worker.engine.call import Call, Entry
from gpu_worker.engine.calls.arguments import NotBatchable, join
from gpu_worker.engine.calls.outputs import split
from gpu_worker.engine.cores import Originals, Replicas
from gpu_worker.engine.knees import Knees
from gpu_worker.engine.unbatchable import Unbatchable
from gpu_worker.memory.device import free_memory, is_out_of_memory
from models.transfer import all_on_device

log = structlog.get_logger()

# Forwards that may be queued on the device: one that runs, and one that is chosen when the one before it is done. One
# more would delay a cancel or a latecomer by one more step.
MOST_IN_FLIGHT = 2

HandBack = Callable[[Sequence[Call], Sequence[Any]], None]


class Runner:
    def __init__(
        self,
        knees: Knees,
        unbatchable: Unbatchable,
        hand_back: HandBack,
        device: str = "cpu",
        networks: Originals | Replicas | None = None,
    ) -> None:
        self.networks = networks or Originals()
        self._knees = knees
        self._device = torch.device(device)
        self._unbatchable = unbatchable
        self._hand_back = hand_back

    def can_run(self, entry: Entry) -> bool:
        return self.networks.holds(entry)

    def run(self, batch: Sequence[Call]) -> None:
        """Every call gets its result or its error. Raises only if the device itself is lost."""
        error = self._attempt(batch)
        if error is None:
            return
        if is_out_of_memory(error):
            self._split_up(batch, error)
        elif len(batch) == 1:
            batch[0].break_off(error)
        elif isinstance(error, NotBatchable):
            self._unbatchable.keep(batch[0].entry, error)
            self._one_by_one(batch)
        else:
            self._isolate_fault(batch, error)

    def _attempt(self, batch: Sequence[Call]) -> Exception | None:
        try:
            results = self._forward(batch)
        except Exception as error:
            if isinstance(error, torch.AcceleratorError) and not is_out_of_memory(error):
                raise  # Nothing runs on this device any more, whoever's fault it was.
            # The traceback holds the frames of the network, and these its tensors: a retry would not fit beside them.
            return error if len(batch) == 1 and not is_out_of_memory(error) else _without_frames(error)
        self._hand_back(batch, results)
        self._knees.went_well(batch[0].fit)
        return None

    def _forward(self, batch: Sequence[Call]) -> list[Any]:
        first = batch[0]
        run = self.networks.run_of(first.entry)
        if len(batch) == 1 and not (first.arguments and self._knees.is_compiled(first.fit)):
            # Just as it was called: alone, a job's image equals the plain pipeline's to the last bit.
            args, kwargs = all_on_device((first.args, first.kwargs), self._device)
            return [run(*args, **kwargs)]
        arguments = [call.arguments for call in batch if call.arguments]
        rows = [call.rows for call in batch]
        computed = self._knees.padded(first.fit, sum(rows))
        output = run(**join(arguments, pad_to=computed))
        return split(output, rows, computed, has_lists=arguments[0].has_lists)

    def _split_up(self, batch: Sequence[Call], error: Exception) -> None:
        """Half at a time; a single call that does not fit fails its job alone."""
        free_memory()
        if len(batch) == 1:
            batch[0].break_off(error)
            return
        rows = sum(call.rows for call in batch)
        self._knees.lower(batch[0].fit, below=rows)
        log.warning("batch.out_of_memory", network=batch[0].entry.network, rows=rows)
        middle = len(batch) // 2
        self.run(batch[:middle])
        self.run(batch[middle:])

    def _isolate_fault(self, batch: Sequence[Call], error: Exception) -> None:
        entry = batch[0].entry
        log.warning("batch.failed", network=entry.network, calls=len(batch), error=type(error).__name__)
        self._one_by_one(batch)
        if all(call.error is None for call in batch):
            self._unbatchable.failed_only_together(entry, error)

    def _one_by_one(self, batch: Sequence[Call]) -> None:
        for call in batch:
            self.run([call])


def _without_frames(error: Exception) -> Exception:
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


class InFlight:
    """How far the engine runs ahead of the device: forwards that were launched, and are not done yet.

    On a CPU, forwards are done when they return: none is ever in flight.
    """

    def __init__(self, device: str) -> None:
        self._is_cuda = device.startswith("cuda")
        self._events: deque[Any] = deque()

    @property
    def most(self) -> int:
        """Forwards that may be on the device still when the next one starts."""
        return MOST_IN_FLIGHT if self._is_cuda else 0

    def is_empty(self) -> bool:
        """Never waits; any thread may ask."""
        return all(event.query() for event in self._events.copy())

    def launched(self) -> None:
        if self._is_cuda:
            # `blocking`: whoever waits for it sleeps, and leaves the core to lanes.
            event: Any = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            event.record()
            self._events.append(event)

    def throttle(self) -> None:
        """Launching returns at once on CUDA; so wait here until few enough are ahead."""
        while len(self._events) >= MOST_IN_FLIGHT:
            self._events.popleft().synchronize()
