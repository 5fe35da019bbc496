"""Which carrier there is: DARKROOM_QUEUE says so, and a process imports no other."""

from darkroom.errors import Misconfigured
from darkroom.messages.carrier import Carrier
from darkroom.messages.wakeups import Wakeups
from darkroom.settings import Settings


def open_wakeups(settings: Settings) -> Wakeups:
    """Does not touch the network yet. Raises Misconfigured."""
    return Wakeups(open_carrier(settings))


def open_carrier(settings: Settings) -> Carrier:
    """Does not touch the network yet. Raises Misconfigured."""
    if settings.queue == "arq":
        from darkroom.messages.arq_carrier import ArqCarrier

        return ArqCarrier(settings)
    try:
        from darkroom.messages.celery_app import make_app
        from darkroom.messages.celery_carrier import CeleryCarrier
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"DARKROOM_QUEUE is celery, and the module {error.name} is not installed: pip install 'darkroom[celery]'. "
            "An environment for ARQ has none, since the two want different versions of redis-py."
        ) from error
    return CeleryCarrier(make_app(settings))
