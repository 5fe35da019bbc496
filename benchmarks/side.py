"""A service as processes that can be killed one by one, each started again at once, as a supervisor would."""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import httpx

from benchmarks.cpu_time import of_group
from darkroom.local import port
from darkroom.local.processes.child import Child
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.part import Part
from darkroom.local.processes.readiness import wait_for_api, wait_for_redis
from darkroom.local.stack import local_stack, redis_dir
from darkroom.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 120
STOPPED_WITHIN_S = 20
GPU_APP = "gpu_worker.app"


class Side:
    """`name` is what tables call it. Whatever is killed here is the part's whole process group, by SIGKILL."""

    def __init__(self, name: str, url: str, guard: Guard) -> None:
        self.name = name
        self.url = url
        self._guard = guard
        self._running: dict[str, tuple[Child, Event]] = {}

    def has(self, part: str) -> bool:
        return part in self._running

    def start(self, part: Part) -> None:
        gone = Event()
        child = Child(part, lambda _name, _line: None, lambda _child: gone.set())
        self._running[part.name] = (child, gone)
        self._guard.watch(child.group for child, _ in self._running.values())
        child.release()

    def crash(self, part: str) -> None:
        child, gone = self._running[part]
        child.kill()
        gone.wait(STOPPED_WITHIN_S)
        self.start(child.part)

    def cpu_s(self) -> dict[str, float]:
        """Of each part so far."""
        return {name: of_group(child.group) for name, (child, _) in self._running.items()}

    def has_lost_a_part(self) -> bool:
        return any(child.has_exited for child, _ in self._running.values())

    def stop(self) -> None:
        """What the others need goes last."""
        for is_foundation in (False, True):
            self._stop([run for run in self._running.values() if run[0].part.is_foundation == is_foundation])
        self._guard.close()

    def last_lines(self) -> str:
        return "\n".join(child.last_lines(10) for child, _ in self._running.values())

    def _stop(self, running: Iterable[tuple[Child, Event]]) -> None:
        for child, _ in running:
            child.terminate()
        for child, gone in running:
            if not gone.wait(STOPPED_WITHIN_S):
                child.kill()
                gone.wait(STOPPED_WITHIN_S)


@contextmanager
def queue_side(
    folder: Path,
    models: Sequence[str] = ("minilab",),
    environment: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
    gpu_app: str = GPU_APP,
) -> Iterator[Side]:
    """Darkroom as `make up` starts it, with `environment` on top of its processes' own, and `without` some parts.

    `gpu_app` is what Celery imports for its GPU worker.
    """
    settings = _settings(folder, models)
    redis_dir(settings).mkdir()
    stack = local_stack(settings, {**clean_environment(), **(environment or {})}, folder / "redis.sock")
    with stopped_after(Side("Darkroom", stack.url, Guard())) as side:
        redis, *others = stack.parts
        side.start(redis)
        wait_for_redis(stack.redis_socket, READY_WITHIN_S)
        for part in others:
            if part.name not in without:
                side.start(replace(part, command=tuple(gpu_app if word == GPU_APP else word for word in part.command)))
        if without:  # who starts those, waits for them
            wait_for_answer(side)
        else:
            wait_for_api(stack.url, READY_WITHIN_S)
        yield side


@contextmanager
def background_side(folder: Path) -> Iterator[Side]:
    """The same pipeline in the web process."""
    settings = _settings(folder)
    command = (
        sys.executable, "-m", "uvicorn", "benchmarks.why_a_queue.background_app:app",
        "--host", settings.host, "--port", str(settings.port), "--log-level", "warning", "--no-access-log",
    )  # fmt: skip
    environment = {**clean_environment(), "DARKROOM_DATA_DIR": str(folder), "TOKENIZERS_PARALLELISM": "false"}
    url = f"http://{settings.host}:{settings.port}"
    with stopped_after(Side("BackgroundTasks", url, Guard())) as side:
        side.start(Part("api", command, environment))
        wait_for_answer(side)
        yield side


def wait_for_answer(side: Side, path: str = "/healthz") -> None:
    """Raises TimeoutError, with what the processes said."""
    deadline = time.monotonic() + READY_WITHIN_S
    with httpx.Client(base_url=side.url, timeout=5, trust_env=False) as http:
        while True:
            try:
                if http.get(path).is_success:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline or side.has_lost_a_part():
                raise TimeoutError(f"{side.name} does not answer. Its last lines:\n{side.last_lines()}")
            time.sleep(0.02)


@contextmanager
def stopped_after(side: Side) -> Iterator[Side]:
    try:
        yield side
    finally:
        side.stop()


def _settings(folder: Path, models: Sequence[str] = ("minilab",)) -> Settings:
    return Settings(host="127.0.0.1", port=port.any_free(), data_dir=folder, gpu_models=tuple(models))


def clean_environment() -> dict[str, str]:
    """Every other setting has its default, whatever this shell is set up for."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    return {**ours, "PYTHONPATH": str(REPOSITORY)}
