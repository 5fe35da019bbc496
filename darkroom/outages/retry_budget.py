"""How long we try again when a part that we need does not answer: with growing pauses and jitter, and an end."""

import threading

import structlog
import tenacity

from darkroom.errors import Unavailable

log = structlog.get_logger()


def retrying(for_s: float, *, stop: threading.Event | None = None) -> tenacity.Retrying:
    """Use as `retrying(60)(act, argument)`. Raises the last Unavailable when the time is over or `stop` is set."""
    ends = tenacity.stop_after_delay(for_s)
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Unavailable),
        wait=tenacity.wait_exponential(multiplier=0.2, max=5) + tenacity.wait_random(0, 0.2),
        stop=ends | tenacity.stop_when_event_set(stop) if stop else ends,
        sleep=tenacity.sleep_using_event(stop) if stop else tenacity.nap.sleep,
        before_sleep=_note,
        reraise=True,
    )


def _note(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("retrying", attempt=state.attempt_number, code=getattr(error, "code", ""), reason=str(error))
