"""When a crashed process is started again, and when that is no longer sensible. Knows no processes."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RestartPolicy:
    """The window is long enough for a model that takes a minute to load before it crashes again."""

    first_wait_s: float = 0.5
    crashes: int = 5
    window_s: float = 300


def wait_before_restart(crashes_at: Sequence[float], policy: RestartPolicy) -> float | None:
    """Seconds to wait, doubled with each recent crash; None: give up. The last of `crashes_at` is the present one."""
    recent = [at for at in crashes_at if at > crashes_at[-1] - policy.window_s]
    if len(recent) >= policy.crashes:
        return None
    return policy.first_wait_s * 2.0 ** (len(recent) - 1)
