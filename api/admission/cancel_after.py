"""The `Cancel-After` header, as Replicate has it: `90`, `30s`, `1m`, `1h30m`."""

import re

from darkroom.errors import Fault, InvalidRequest
from darkroom.request import DEADLINE_S

DURATION = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s?)?")


def cancel_after_s(header: str | None) -> float | None:
    """Seconds. Raises InvalidRequest."""
    if header is None:
        return None
    found = DURATION.fullmatch(header.strip().lower())
    if not found or not any(found.groups()):
        message = "Cancel-After cannot be read. Send a duration such as `30s`, `5m` or `1h30m`."
        raise InvalidRequest([Fault("Cancel-After", "invalid_field", message)])
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    duration_s = 3600 * hours + 60 * minutes + seconds
    least, most = DEADLINE_S
    if not least <= duration_s <= most:
        message = f"Cancel-After is {duration_s} s; choose {least} to {most}."
        raise InvalidRequest([Fault("Cancel-After", "deadline_s_out_of_range", message)])
    return float(duration_s)


def earlier(one: float | None, other: float | None) -> float | None:
    """Of two deadlines, where there are any."""
    return min((deadline for deadline in (one, other) if deadline is not None), default=None)
