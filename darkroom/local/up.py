"""`darkroom up`: the stack stays up, shows what its parts say, and starts crashed ones again."""

from collections.abc import Callable, Mapping
from typing import TextIO

from darkroom.local import port
from darkroom.local.data_lock import locked
from darkroom.local.embedded_redis import socket_folder
from darkroom.local.flower_access import FlowerAccess
from darkroom.local.launch import launched
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.output import LogFiles, Terminal
from darkroom.local.processes.supervisor import StopAsked, Supervisor
from darkroom.local.running import told
from darkroom.local.stack import Stack, local_stack, redis_dir
from darkroom.settings import Settings

READY_WITHIN_S = 600  # a model of many GB from a slow disk


def up(
    settings: Settings,
    environment: Mapping[str, str],
    stream: TextIO,
    flower: FlowerAccess | None = None,
    show: Callable[[str], object] = lambda _: None,
) -> None:
    """`show` is given the page's address once it is there. Returns after Ctrl-C or SIGTERM.

    Raises StackFailed, and Misconfigured for a busy port or data folder.
    """
    port.require_free(settings.host, settings.port)
    with locked(settings.data_dir) as lock, socket_folder() as folder:
        redis_dir(settings).mkdir(exist_ok=True)
        socket = folder / "redis.sock"
        stack = local_stack(settings, environment, socket, flower)
        guard = Guard(removes=[folder], holds=[lock])
        terminal = Terminal(stream, environment)

        def greet() -> None:
            terminal.say(welcome(stack, settings, flower))
            show(stack.url)

        with told(settings.data_dir, socket):
            keep_up(stack, guard, settings, terminal, greet)


def keep_up(stack: Stack, guard: Guard, settings: Settings, terminal: Terminal, greet: Callable[[], None]) -> None:
    files = LogFiles(settings.data_dir / "logs", tuple(part.name for part in stack.parts))

    def hear(name: str, line: str) -> None:
        files.write(name, line)
        terminal.show(name, line)

    def stopping() -> None:
        terminal.say("Stopping. Ctrl-C once more kills at once.")

    # Longer than a worker takes to finish or give back its jobs.
    supervisor = Supervisor(guard, hear, grace_s=settings.grace_s + 5, stopping=stopping)
    try:
        with launched(stack, supervisor, READY_WITHIN_S):
            greet()
            supervisor.run()
    except StopAsked:
        pass
    finally:
        files.close()


def welcome(stack: Stack, settings: Settings, flower: FlowerAccess | None) -> str:
    url = settings.public_base_url if settings.public_url else stack.url
    lines = [f"Darkroom is up: {url}/", f"  operations     {url}/ops", f"  documentation  {url}/docs"]
    if flower is not None:
        user, _, password = flower.credentials.partition(":")
        lines.append(f"  Flower         {flower.url}  user {user}, password {password}")
    return "\n".join([*lines, f"  data           {settings.data_dir.resolve()}", "Ctrl-C stops everything."])
