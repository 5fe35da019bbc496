"""Brings the local stack up, part by part, until it takes jobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from darkroom.errors import StackFailed
from darkroom.local.processes.readiness import NotReady, wait_for_api, wait_for_redis
from darkroom.local.processes.signals import on_stop_signals
from darkroom.local.processes.supervisor import Supervisor
from darkroom.local.stack import Stack


@contextmanager
def launched(stack: Stack, supervisor: Supervisor, deadline_s: float) -> Iterator[None]:
    """Ready inside; nothing is left running after. Raises StackFailed, naming the part; StopAsked when interrupted."""
    with on_stop_signals(supervisor.ask_to_stop), supervisor:
        try:
            _bring_up(stack, supervisor, deadline_s)
        except NotReady as error:
            raise StackFailed(f"{error} The last lines of each part:\n{supervisor.last_lines(10)}") from error
        yield


def _bring_up(stack: Stack, supervisor: Supervisor, deadline_s: float) -> None:
    given_up = Event()
    try:
        for part in stack.parts:
            if part.is_foundation:
                supervisor.start(part)
        supervisor.beside(lambda: wait_for_redis(stack.redis_socket, deadline_s, given_up))
        for part in stack.parts:
            if not part.is_foundation:
                supervisor.start(part)
        supervisor.beside(lambda: wait_for_api(stack.url, deadline_s, given_up))
    finally:
        given_up.set()
