"""What the log says while a part is away: enough to see it, and no flood."""

import logging
from typing import Any

import pytest

from darkroom.errors import RedisUnavailable
from darkroom.outages.lines import AGAIN_S, OutageLines


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines(clock: Clock) -> OutageLines:
    return OutageLines(clock)


def record(
    msg: object, *args: object, name: str = "darkroom", level: int = logging.WARNING, error: Exception | None = None
) -> logging.LogRecord:
    exc_info = (type(error), error, None) if error else None
    return logging.LogRecord(name, level, "file.py", 1, msg, args, exc_info)


def step_lost(job_id: str, reason: str = "Redis does not answer.") -> logging.LogRecord:
    return record({"event": "job.progress_lost", "job_id": job_id, "reason": reason})


def test_the_same_reason_is_said_once_whichever_job_meets_it(lines: OutageLines) -> None:
    assert [lines.filter(step_lost(job_id)) for job_id in ("a", "b", "a")] == [True, False, False]


def test_it_is_said_again_after_a_while_with_how_often_it_was_not(lines: OutageLines, clock: Clock) -> None:
    for job_id in "abcd":
        lines.filter(step_lost(job_id))
    clock.now += AGAIN_S

    again = step_lost("e")

    assert lines.filter(again)
    assert isinstance(again.msg, dict)
    assert again.msg["kept_back"] == 3


def test_other_reasons_other_levels_and_warnings_without_a_reason_are_all_said(lines: OutageLines) -> None:
    said: list[Any] = [
        step_lost("a"),
        step_lost("a", "The broker does not answer."),
        record({"event": "worker.lost", "job_id": "a"}),
        record({"event": "worker.lost", "job_id": "a"}),
        record({"event": "job.failed", "reason": "r"}, level=logging.ERROR),
        record({"event": "job.failed", "reason": "r"}, level=logging.ERROR),
    ]

    assert all(lines.filter(each) for each in said)


def test_a_task_that_finds_redis_away_is_a_line_without_a_traceback(lines: OutageLines) -> None:
    raised = record(
        "Task %s raised unexpected", "darkroom.generate", name="celery.app.trace", level=logging.ERROR,
        error=RedisUnavailable("Redis does not answer."),
    )  # fmt: skip

    assert lines.filter(raised)

    assert (raised.levelno, raised.exc_info) == (logging.WARNING, None)
    assert raised.getMessage() == "Task darkroom.generate raised unexpected"


def test_an_error_of_our_own_keeps_its_traceback(lines: OutageLines) -> None:
    raised = record("Task failed", name="celery.app.trace", level=logging.ERROR, error=KeyError("x"))

    assert lines.filter(raised)

    assert raised.levelno == logging.ERROR
    assert raised.exc_info


def test_what_celery_says_over_several_lines_becomes_one(lines: OutageLines) -> None:
    away = record(
        "consumer: Cannot connect to %s: %s.\n%s\n", "redis://", "refused", "Trying again in 2.00 seconds...",
        name="celery.worker.consumer.consumer", level=logging.ERROR,
    )  # fmt: skip

    assert lines.filter(away)

    assert away.getMessage() == "consumer: Cannot connect to redis://: refused. Trying again in 2.00 seconds..."
    assert away.levelno == logging.WARNING


def test_celery_s_advice_about_a_setting_that_we_chose_is_left_out(lines: OutageLines) -> None:
    advice = record("%s", "worker_cancel_long_running_tasks_on_connection_loss is False", name="py.warnings")

    assert not lines.filter(advice)


def test_a_stream_that_is_cut_is_no_error(lines: OutageLines) -> None:
    cut = record("ASGI callable returned without completing response.", name="uvicorn.error", level=logging.ERROR)

    assert lines.filter(cut)

    assert (cut.levelno, cut.getMessage()) == (logging.WARNING, "A stream was cut before its end.")
