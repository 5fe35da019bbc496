"""A small deployment: the settings that all its processes share, workers, and a client's way to its jobs."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from darkroom.job_store import keys
from darkroom.job_store.presence import present
from darkroom.job_store.redis_client import connect
from darkroom.job_store.store import JobStore
from darkroom.job_store.upkeep import Upkeep
from darkroom.jobs import Job
from darkroom.messages.opening import open_wakeups
from darkroom.request import ImageRequest
from darkroom.settings import Settings
from tests.brokers.workers import WorkerProcess, arq, celery
from tests.conftest import image_request
from tests.eventually import eventually

START_S = 60


def request_of(**changes: object) -> ImageRequest:
    return image_request(**{"width": 64, "height": 64, "steps": 2} | changes)


class Deployment:
    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        """`env` has the settings by their names in the environment, as an operator gives them."""
        self._folder = folder
        self.env = {"DARKROOM_DATA_DIR": str(folder / "data"), **env}
        self.settings = settings_of(self.env)
        self.client = connect(self.settings.redis_url)
        self.store = JobStore(self.client, self.settings)
        self.upkeep = Upkeep(self.client, self.settings)
        self.wakeups = open_wakeups(self.settings)
        self.workers: list[WorkerProcess] = []

    @cached_property
    def app(self) -> Any:
        """Celery's, to ask it about its workers."""
        from darkroom.messages.celery_app import make_app

        return make_app(self.settings)

    def gpu_worker(self, name: str = "gpu", *arguments: str, **env: str) -> WorkerProcess:
        if self.settings.queue == "arq":
            return self.start_on_arq(name, "gpu_worker.arq_app", **env)
        return self.start(name, "gpu_worker.app", "--quiet", "worker", "-n", f"{name}@test", *arguments, **env)

    def cpu_worker(self, name: str = "cpu", *arguments: str, **env: str) -> WorkerProcess:
        if self.settings.queue == "arq":
            return self.start_on_arq(name, "cpu_worker.arq_app", **env)
        return self.start(name, "cpu_worker.app", "--quiet", "worker", "-n", f"{name}@test", *arguments, **env)

    def start(self, name: str, app: str, *arguments: str, **env: str) -> WorkerProcess:
        worker = WorkerProcess(name, celery(app, *arguments), {**self.env, **env}, self._folder)
        self.workers.append(worker)
        return worker

    def start_on_arq(self, name: str, module: str, **env: str) -> WorkerProcess:
        told = {**self.env, "DARKROOM_WORKER_NAME": f"{name}@test", **env}
        worker = WorkerProcess(name, arq(f"{module}.WorkerSettings"), told, self._folder)
        self.workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self.workers:
            worker.end()
        self.client.close()
        self.wakeups.close()

    def wait_for_workers(self, *names: str) -> None:
        def are_there() -> bool:
            silent = [worker.said[-3000:] for worker in self.workers if worker.name in names and not worker.is_alive]
            assert not silent, f"a worker has ended: {silent}"
            return {f"{name}@test" for name in names} <= {info.name for info in present(self.client)}

        eventually(are_there, START_S, what=f"workers {names}")

    def running(self, *names: str, **env: Mapping[str, str]) -> list[WorkerProcess]:
        """GPU workers by these names and no others: those that an earlier test left, and new ones.

        `env` has, by name, what only one of them is told.
        """
        for worker in [worker for worker in self.workers if worker.name not in names]:
            worker.end()
        for worker in [worker for worker in self.workers if not worker.is_alive]:
            # One that was killed would be seen for some seconds more, and be taken for its successor.
            self.client.hdel(keys.WORKERS(), f"{worker.name}@test")
        self.workers = [worker for worker in self.workers if worker.is_alive]
        for name in {*names} - {worker.name for worker in self.workers}:
            self.gpu_worker(name, **env.get(name, {}))
        self.wait_for_workers(*names)
        by_name = {worker.name: worker for worker in self.workers}
        return [by_name[name] for name in names]

    def post(self, *, wakeups: int = 1, **changes: object) -> str:
        """What `POST /generate` does."""
        job_id = self.store.enqueue("alice", request_of(**changes)).job.id
        for _ in range(wakeups):
            self.wakeups.wake("minilab", job_id)
        return job_id

    def wait_for_step(self, job_id: str, step: int = 1) -> Job:
        eventually(lambda: self.store.get(job_id).step >= step, 30, what=f"step {step} of {job_id}")
        return self.store.get(job_id)

    def wait_for_end(self, job_id: str, deadline_s: float = 60) -> Job:
        eventually(lambda: self.store.get(job_id).state.is_final, deadline_s, what=f"end of {job_id}")
        return self.store.get(job_id)

    def wait_for_thumbnails(self, job_id: str) -> Job:
        def are_there() -> bool:
            images = self.store.get(job_id).images
            return bool(images) and all(image.thumbnail for image in images)

        eventually(are_there, 30, what=f"thumbnails of {job_id}")
        return self.store.get(job_id)

    def events(self, job_id: str) -> list[str]:
        return [fields["type"] for _, fields in self.client.xrange(keys.EVENTS(job_id))]


def settings_of(env: Mapping[str, str]) -> Settings:
    fields: dict[str, Any] = {name.removeprefix("DARKROOM_").lower(): value for name, value in env.items()}
    return Settings.model_validate(fields)


@contextmanager
def deployment(folder: Path, env: Mapping[str, str]) -> Iterator[Deployment]:
    """Ends its workers with the context."""
    with closing(Deployment(folder, env)) as deployed:
        yield deployed
