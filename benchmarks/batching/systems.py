"""The systems that are compared: how each is started, awaited, and asked for an image. Measures nothing."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from benchmarks.assignment import Assignment
from benchmarks.clients import DarkroomClient, bentoml_client, plain_client
from benchmarks.side import READY_WITHIN_S, Side, clean_environment, queue_side, stopped_after, wait_for_answer
from benchmarks.subject import Subject
from benchmarks.traffic import Draw
from darkroom.local import port
from darkroom.local.embedded_redis import redis_command
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.part import Part
from darkroom.local.processes.readiness import wait_for_redis


class NotInstalled(Exception):
    """The peer's own environment lacks it."""


@dataclass(frozen=True)
class Plan:
    """The same for every system of a run. `lanes`: None leaves Darkroom its own default."""

    subject: Subject
    assignment: Assignment
    peers_python: Path
    lanes: int | None

    def environment(self) -> dict[str, str]:
        threads = max(1, (os.cpu_count() or 1) // self.assignment.workers)
        return {**clean_environment(), **even_chances(threads), **self.assignment.to_environment()}


@dataclass(frozen=True)
class System:
    """`is_divided`: given a process for each core, where its documentation shows one."""

    title: str
    start: Callable[[Plan, Path], AbstractContextManager[Side]]
    client: Callable[[httpx.AsyncClient, Subject], Draw]
    is_divided: bool = False


def even_chances(threads: int | None = None) -> dict[str, str]:
    """Each system computes with as many threads, and lets them sleep when there is nothing to do.

    `threads`: of each of its processes that draw; by default as many as there are cores.
    """
    return {
        "OMP_NUM_THREADS": str(threads or os.cpu_count()),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",  # it warns of torchvision, which no pipeline here needs
    }


@contextmanager
def darkroom(plan: Plan, folder: Path) -> Iterator[Side]:
    settings = {
        "DARKROOM_CATALOGUE": str(plan.subject.catalogue),
        "DARKROOM_DEFAULT_MODEL": plan.subject.card.id,
        "DARKROOM_GPU_MODELS": plan.subject.card.id,
        "DARKROOM_DEVICE": plan.subject.device,
        **({"DARKROOM_LANES": str(plan.lanes)} if plan.lanes else {}),
    }
    with queue_side(folder, [plan.subject.card.id], {**even_chances(), **settings}) as side:
        yield side


@contextmanager
def celery(plan: Plan, folder: Path) -> Iterator[Side]:
    socket = folder / "redis.sock"
    free = port.any_free()
    plan = replace(plan, assignment=replace(plan.assignment, redis_socket=str(socket)))
    warnings = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}
    environment = {**plan.environment(), **warnings}
    worker = ("-m", "celery", "-A", "benchmarks.peers.celery_worker", "-q", "worker", "--pool=solo", "-l", "warning")
    front = ("-m", "uvicorn", "benchmarks.peers.celery_front:app", "--port", str(free), "--log-level", "warning")
    with stopped_after(Side("Celery", f"http://127.0.0.1:{free}", Guard())) as side:
        side.start(Part("redis", tuple(redis_command(folder, socket)), environment, is_foundation=True))
        wait_for_redis(socket, READY_WITHIN_S)
        for number in range(plan.assignment.workers):
            side.start(Part(f"worker-{number}", (sys.executable, *worker, "-n", f"worker-{number}@%h"), environment))
        side.start(Part("front", (sys.executable, *front), environment))
        wait_for_answer(side)
        yield side


@contextmanager
def litserve(plan: Plan, folder: Path) -> Iterator[Side]:
    command = ("-m", "benchmarks.peers.litserve_server")
    with _server("LitServe", "litserve", command, "/health", plan, folder) as side:
        yield side


@contextmanager
def ray(plan: Plan, folder: Path) -> Iterator[Side]:
    command = ("-m", "benchmarks.peers.ray_server")
    with _server("Ray Serve", "ray", command, "/healthz", plan, folder) as side:
        yield side


@contextmanager
def bentoml(plan: Plan, folder: Path) -> Iterator[Side]:
    command = ("-m", "bentoml", "serve", "benchmarks.peers.bentoml_server:Drawing", "--host", "127.0.0.1", "--port")
    with _server("BentoML", "bentoml", command, "/readyz", plan, folder) as side:
        yield side


@contextmanager
def _server(
    title: str, package: str, command: tuple[str, ...], health: str, plan: Plan, folder: Path
) -> Iterator[Side]:
    """One command in the peers' environment. A command that ends in `--port` is given it there, too."""
    _require(package, plan.peers_python)
    free = port.any_free()
    plan = replace(plan, assignment=replace(plan.assignment, port=free))
    if command[-1] == "--port":
        command = (*command, str(free))
    environment = {**plan.environment(), **_keeping_to(folder), "PATH": _path_of(plan.peers_python)}
    with stopped_after(Side(title, f"http://127.0.0.1:{free}", Guard())) as side:
        side.start(Part(package, (str(plan.peers_python), *command), environment))
        wait_for_answer(side, health)
        yield side


def _require(package: str, python: Path) -> None:
    look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
    if not python.exists() or subprocess.run([python, "-c", look], check=False).returncode:
        raise NotInstalled(f"{package} is not installed in the peers' environment, which `make bench` makes.")


def _path_of(python: Path) -> str:
    """Servers start helpers by name, which must be their environment's own."""
    return f"{python.parent.absolute()}{os.pathsep}{os.environ.get('PATH', '')}"


def _keeping_to(folder: Path) -> dict[str, str]:
    """Files go where they are removed, and nothing is reported to anybody."""
    return {
        "BENTOML_HOME": str(folder),
        "BENTOML_DO_NOT_TRACK": "true",
        "RAY_TMPDIR": str(folder),
        "RAY_USAGE_STATS_ENABLED": "0",
        "HF_HUB_OFFLINE": "1",
    }


def _divided(system: System) -> System:
    """The same with a process for each core, each on one thread."""

    def start(plan: Plan, folder: Path) -> AbstractContextManager[Side]:
        return system.start(replace(plan, assignment=replace(plan.assignment, workers=os.cpu_count() or 1)), folder)

    return System(f"{system.title}, a process for each core", start, system.client, is_divided=True)


OURS = "darkroom"
_AS_DOCUMENTED = {
    "celery": System("Celery, one job at a time", celery, lambda http, _subject: plain_client(http)),
    "litserve": System("LitServe", litserve, lambda http, _subject: plain_client(http)),
    "ray": System("Ray Serve", ray, lambda http, _subject: plain_client(http)),
    "bentoml": System("BentoML", bentoml, lambda http, _subject: bentoml_client(http)),
}
SYSTEMS: Mapping[str, System] = {
    **_AS_DOCUMENTED,
    **{f"{name}-divided": _divided(system) for name, system in _AS_DOCUMENTED.items()},
    OURS: System("Darkroom", darkroom, lambda http, subject: DarkroomClient(http, subject.card.id, subject.side).draw),
}


def systems_for(device: str) -> list[str]:
    """On a GPU no server is divided: processes would share it, each with weights of its own."""
    return [name for name, system in SYSTEMS.items() if device == "cpu" or not system.is_divided]
