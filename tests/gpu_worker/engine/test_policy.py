"""What goes into the next forward, as a table."""

import inspect
from dataclasses import dataclass

import pytest

from gpu_worker.engine.call import Call, Entry, Run, Urgency
from gpu_worker.engine.calls.arguments import Fit
from gpu_worker.engine.policy import AGEING, next_batch


@dataclass(frozen=True)
class Waiting:
    name: str
    work_left: float = 1.0
    priority: int = 0
    waited_s: float = 0.0
    rows: int = 1
    shape: str = "square"
    is_step: bool = True

    @property
    def fit(self) -> Fit:
        return (self.shape,)

    def urgency(self, now_s: float) -> Urgency:
        return Urgency(self.priority, self.work_left, self.waited_s + now_s, self.is_step)


A, B, C = Waiting("A", work_left=1), Waiting("B", work_left=2), Waiting("C", work_left=3)

OLD = Waiting("old", work_left=0.1, waited_s=1e3)
PROMPT = Waiting("prompt", work_left=50, shape="prompt", is_step=False)
BULK_PROMPT = Waiting("bulk", work_left=1, priority=1, shape="prompt", is_step=False)


@pytest.mark.parametrize(
    ("waiting", "knee", "chosen"),
    [
        pytest.param([], 8, "", id="nothing waits"),
        pytest.param([C, A, B], 8, "ABC", id="shortest remaining work first"),
        pytest.param([C, A, B], 2, "AB", id="up to the knee"),
        pytest.param([A, Waiting("bulk", 0.1, priority=1)], 1, "A", id="interactive before shorter bulk"),
        pytest.param([A, Waiting("bulk", 0.1, priority=1), B], 8, "AB", id="no bulk in an interactive call's forward"),
        pytest.param([Waiting("wide", 0.5, shape="wide"), A, B], 8, "wide", id="the most urgent sets the shape"),
        pytest.param([A, Waiting("wide", 2, shape="wide"), C], 8, "AC", id="others of that shape, though less urgent"),
        pytest.param([Waiting("many", 0.5, rows=9), A], 8, "many", id="more rows than the knee go alone"),
        pytest.param([A, Waiting("pair", 2, rows=2), C], 2, "AC", id="what is too large is passed over"),
        pytest.param([A, Waiting("old", 3, waited_s=3 / AGEING)], 1, "old", id="who waited long enough goes first"),
        pytest.param([A, Waiting("old", 3, waited_s=1)], 1, "A", id="but not after a moment"),
        pytest.param([A, Waiting("old", 9, 1, waited_s=1e6)], 1, "A", id="age does not make bulk interactive"),
        pytest.param([OLD, PROMPT, A], 8, "prompt", id="a prompt before the step of an older and shorter job"),
        pytest.param([PROMPT, BULK_PROMPT, A], 8, "prompt", id="no bulk job's prompt with an interactive one's"),
        pytest.param([BULK_PROMPT, A], 8, "A", id="an interactive step before a bulk job's prompt"),
        pytest.param([Waiting("first"), Waiting("second")], 1, "first", id="of equals, the first to come"),
    ],
)
def test_the_next_batch(waiting: list[Waiting], knee: int, chosen: str) -> None:
    batch = next_batch(waiting, lambda _fit: knee, now_s=0, speed=1)

    assert "".join(call.name for call in batch) == chosen


def test_nobody_starves_beside_a_stream_of_short_jobs() -> None:
    long = Waiting("long", work_left=50)
    served_at_s = next(
        now_s
        for now_s in range(1000)
        if next_batch([Waiting("short", waited_s=-now_s), long], lambda _fit: 1, now_s, speed=1) == [long]
    )

    assert served_at_s <= 50 / AGEING


def test_ageing_means_the_same_on_a_slow_machine_and_on_a_fast_one() -> None:
    def winner(speed: float, waited_s: float) -> str:
        return next_batch([A, Waiting("old", 3, waited_s=waited_s)], lambda _fit: 1, 0, speed)[0].name

    forgiven_after_s = (3 - A.work_left) / AGEING  # at a speed of 1

    assert [winner(speed, 1.1 * forgiven_after_s / speed) for speed in (1, 100)] == ["old", "old"]
    assert [winner(speed, 0.9 * forgiven_after_s / speed) for speed in (1, 100)] == ["A", "A"]


def test_a_prompt_of_a_long_job_is_encoded_before_the_next_step_of_shorter_ones() -> None:
    """Else the long job stood at its prompt until they are done, while their forwards had room for it."""
    long = Run(priority=0, work_left=50.0, entered_s=0.0)
    encoder = Entry("TextEncoder", "forward", print, inspect.Signature(), is_step=False)
    denoiser = Entry("Denoiser", "forward", print, inspect.Signature())
    prompt = Call(long, encoder, (), {}, None, filed_s=0.0)
    step = Call(Run(priority=0, work_left=1.0, entered_s=0.0), denoiser, (), {}, None, filed_s=0.0)

    assert next_batch([step, prompt], lambda _fit: 1, now_s=0.0, speed=1.0) == [prompt]
    assert next_batch([step, Call(long, denoiser, (), {}, None, filed_s=0.0)], lambda _: 1, 0.0, 1.0) == [step]
