"""How fast lanes and forwards are, measured as they run; and how far the engine may run ahead of the device."""

from collections import deque
from typing import Any

import torch

# Share of a forward's time that is at most spent waiting for lanes that are on their way back.
MOST_OF_A_FORWARD = 0.5
# Forwards that may be queued on the device. One more would delay a cancel or a latecomer by one more step.
IN_FLIGHT = 2


class Tempo:
    def __init__(self, device: str) -> None:
        self._is_cuda = device.startswith("cuda")
        self._in_flight: deque[Any] = deque()
        self._served: dict[int, tuple[float, float]] = {}  # when, and what work was left
        self._return_s = 0.002
        self._forward_s = 0.0
        self._interval_s = 0.0
        self._work = 0.0  # of a forward, for all its lanes
        self._work_since = 0.0  # the last forward

    @property
    def speed(self) -> float:
        """Megapixel-steps a second that the worker does for all lanes together: what ageing is measured in."""
        return self._work / self._interval_s if self._interval_s else 0.0

    def lane_served(self, lane: int, now_s: float, work_left: float) -> None:
        self._served[lane] = now_s, work_left

    def lane_returned(self, lane: int, now_s: float, work_left: float) -> None:
        if lane not in self._served:
            return
        served_s, work_before = self._served.pop(lane)
        self._work_since += work_before - work_left
        # A lane that comes back after seconds was held up by something else than its scheduler.
        if now_s - served_s < 1:
            self._return_s += 0.1 * (now_s - served_s - self._return_s)

    def lane_left(self, lane: int) -> None:
        self._served.pop(lane, None)

    def worth_waiting_s(self, *, is_urgent: bool = False) -> float:
        """Until nearly all lanes should be back, and never longer than a part of a forward.

        That long for a lane that goes before all who wait: it would lose a whole forward otherwise.
        """
        longest_s = MOST_OF_A_FORWARD * self._forward_s
        return longest_s if is_urgent else min(3 * self._return_s, longest_s)

    def forward_done(self, taken_s: float, at_once: int = 1) -> None:
        """`at_once`: forwards that ran at its end, this one included."""
        # Not every forward gets a job ahead: prompts are encoded, guidance can take a second call. Averages know.
        share = 0.2 if self._forward_s else 1.0
        self._forward_s += share * (taken_s - self._forward_s)
        self._interval_s += share * (taken_s / at_once - self._interval_s)
        self._work += share * (self._work_since - self._work)
        self._work_since = 0.0
        if self._is_cuda:
            # `blocking`: whoever waits for it sleeps, and leaves the core to lanes.
            event: Any = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            event.record()
            self._in_flight.append(event)

    @property
    def forwards_ahead(self) -> int:
        """Forwards that may be on the device still when the next one starts."""
        return IN_FLIGHT if self._is_cuda else 0

    def is_device_busy(self) -> bool:
        """Whether a forward that was launched is not done yet. Never waits; any thread may ask."""
        return not all(event.query() for event in self._in_flight.copy())

    def wait_for_device(self) -> None:
        """Launching returns at once on CUDA; the engine keeps at most a few forwards ahead of the device."""
        while len(self._in_flight) >= IN_FLIGHT:
            self._in_flight.popleft().synchronize()
