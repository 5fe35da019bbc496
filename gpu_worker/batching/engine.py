"""The one thread in which all networks run, so that lanes share forwards and the device has one master."""

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog
import torch

from darkroom.errors import GenerationFailed
from gpu_worker.batching.arguments import Arguments, NotBatchable, bind, flatten, join
from gpu_worker.batching.call import Call, Entry, LanePass
from gpu_worker.batching.knees import Knees
from gpu_worker.batching.outputs import split
from gpu_worker.batching.pace import Pace
from gpu_worker.batching.policy import next_batch

log = structlog.get_logger()

# A lane that waits looks this often whether its job is still wanted.
LOOK_S = 0.5


class Engine:
    """Lanes call `run`; the engine's thread does the rest."""

    def __init__(self, knees: Knees, device: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._knees = knees
        self._pace = Pace(device)
        self._clock = clock
        self._filed = threading.Condition()
        self._waiting: list[Call] = []
        self._away: set[int] = set()  # ids of passes that were served and will be back
        self._alone: set[Entry] = set()  # entries that turned out not to batch
        self._is_stopping = False
        self._thread = threading.Thread(target=self._loop, name="engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._filed:
            self._is_stopping = True
            self._filed.notify()
        self._thread.join(timeout=30)

    def run(self, lane: LanePass, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a network for a lane, with whichever other calls fit. Blocks the lane's thread until it is done.

        Raises what the lane's pass raises, and what the network raises for this call.
        """
        lane.check()
        call = Call(lane, entry, args, kwargs, self._arguments(entry, args, kwargs), self._clock())
        with self._filed:
            self._waiting.append(call)
            self._back(lane, call)
            self._filed.notify()
        while not call.done.wait(LOOK_S):
            self._look_after(call)
        if call.error is not None:
            raise call.error
        return call.result

    def leave(self, lane: LanePass) -> None:
        """This lane will not be back in this run: nobody need wait for it."""
        with self._filed:
            self._away.discard(id(lane))
            self._filed.notify()

    def _arguments(self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments | None:
        if entry in self._alone:
            return None
        try:
            return flatten(entry.network, entry.name, bind(entry.signature_of, args, kwargs))
        except (NotBatchable, TypeError) as error:
            self._keep_alone(entry, error)
            return None

    def _look_after(self, call: Call) -> None:
        """Take a call back whose job is not wanted any more, unless it runs already."""
        if not self._thread.is_alive():
            raise GenerationFailed("The worker's engine has stopped. The job can be sent again.")
        try:
            call.lane.check()
        except BaseException:
            with self._filed:
                if call in self._waiting:
                    self._waiting.remove(call)
                    raise
        # It runs: its result is due in a moment, and the next call will raise.

    def _back(self, lane: LanePass, call: Call) -> None:
        self._away.discard(id(lane))
        self._pace.lane_returned(id(lane), call.filed_s)

    def _loop(self) -> None:
        with torch.inference_mode():
            while batch := self._next():
                self._serve(batch)

    def _next(self) -> list[Call]:
        """The calls of the next forward; empty when the engine stops."""
        with self._filed:
            while not self._waiting:
                if self._is_stopping:
                    return []
                self._filed.wait(1)
            self._gather()
            batch = next_batch(self._waiting, self._knees.of, self._clock(), self._pace.speed)
            for call in batch:
                self._waiting.remove(call)
            return batch

    def _gather(self) -> None:
        """Lanes that were just served are on their way back: a moment's wait makes the next forward fuller."""
        ends = self._clock() + self._pace.worth_waiting_s()
        while self._away and (left := ends - self._clock()) > 0 and not self._is_full():
            self._filed.wait(left)

    def _is_full(self) -> bool:
        batch = next_batch(self._waiting, self._knees.of, self._clock(), self._pace.speed)
        return sum(call.rows for call in batch) >= self._knees.of(batch[0].fit) if batch else False

    def _serve(self, batch: list[Call]) -> None:
        started_s = self._clock()
        self._pace.wait_for_device()
        try:
            results = self._forward(batch)
        except torch.OutOfMemoryError as error:
            self._split_up(batch, error)
            return
        except NotBatchable as error:
            self._keep_alone(batch[0].entry, error)
            self._one_by_one(batch)
            return
        except Exception as error:
            if len(batch) == 1:
                batch[0].break_off(error)
            else:
                log.warning(
                    "batch.failed", network=batch[0].entry.network, calls=len(batch), error=type(error).__name__
                )
                self._one_by_one(batch)
            return
        self._pace.forward_done(self._clock() - started_s)
        self._hand_back(batch, results)

    def _forward(self, batch: list[Call]) -> list[Any]:
        first = batch[0]
        if len(batch) == 1:
            # Just as it was called: alone, a job's image equals the plain pipeline's to the last bit.
            return [first.entry.run(*first.args, **first.kwargs)]
        rows = [call.rows for call in batch]
        padded = self._knees.padded(first.fit, sum(rows))
        output = first.entry.run(**join([call.arguments for call in batch if call.arguments], pad_to=padded))
        return split(first.entry.network, output, rows, padded)

    def _hand_back(self, batch: list[Call], results: list[Any]) -> None:
        now_s = self._clock()
        with self._filed:
            for call in batch:
                # A decoded image is the end of a run: that lane is not waited for.
                if call.entry.name != "decode":
                    self._away.add(id(call.lane))
                self._pace.lane_served(id(call.lane), now_s)
        for call, result in zip(batch, results, strict=True):
            call.finish(result)

    def _split_up(self, batch: list[Call], error: torch.OutOfMemoryError) -> None:
        """Half at a time; a single call that does not fit fails its job alone."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if len(batch) == 1:
            batch[0].break_off(error)
            return
        rows = sum(call.rows for call in batch)
        self._knees.lower(batch[0].fit, below=rows)
        log.warning("batch.out_of_memory", network=batch[0].entry.network, rows=rows)
        middle = len(batch) // 2
        self._serve(batch[:middle])
        self._serve(batch[middle:])

    def _one_by_one(self, batch: list[Call]) -> None:
        for call in batch:
            self._serve([call])

    def _keep_alone(self, entry: Entry, error: Exception) -> None:
        if entry not in self._alone:
            self._alone.add(entry)
            log.warning("network.not_batchable", network=entry.network, entry=entry.name, reason=str(error))
