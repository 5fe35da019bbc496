"""When a call is worth sending again: where no answer came, or one that says to come back soon."""

from darkroom.client.calls import Call
from darkroom.client.errors import ClientError, Refused, Unreachable

TRIES = 4
FIRST_S, LONGEST_S = 0.5, 10.0


def pause_s(call: Call[object], tries: int, error: ClientError) -> float | None:
    """Seconds until the next try, after so many; None where there is to be none.

    A 429 is for the caller: what he asks for is too much, and he knows best what can wait.
    """
    is_worth_it = isinstance(error, Unreachable) or (isinstance(error, Refused) and error.status == 503)
    if tries >= TRIES or not call.may_repeat or not is_worth_it:
        return None
    told_s = error.retry_after_s if isinstance(error, Refused) else None
    return min(LONGEST_S, told_s if told_s is not None else FIRST_S * 2 ** (tries - 1))
