"""How fast lanes and forwards are, measured as they run."""

# Share of a forward's time that is at most spent waiting for lanes that are on their way back.
MOST_OF_A_FORWARD = 0.5


class Tempo:
    def __init__(self) -> None:
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
