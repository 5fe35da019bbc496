"""The service as it would be without a queue: one FastAPI process that makes its images in BackgroundTasks.

Written as well as that can be: the drawing runs in the thread pool, one job at a time, with the code of our GPU worker.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from secrets import randbelow
from threading import Lock
from typing import Annotated, cast

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from darkroom.catalogue import Catalogue, read_catalogue
from darkroom.completion import complete
from darkroom.jobs import new_job_id
from darkroom.request import SEED_LIMIT, GenerateBody, ImageRequest
from darkroom.settings import Settings
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.jobs.lanes import Lanes
from gpu_worker.profiling.loading import Nobody, load_lanes
from models.device import choose_device


class Studio:
    """The model, and what became of each job. Statuses live in memory, images on disk."""

    def __init__(self, settings: Settings, catalogue: Catalogue, lanes: Lanes) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._lanes = lanes
        self._lock = Lock()  # around the model
        self._status: dict[str, str] = {}

    @classmethod
    def load(cls, settings: Settings) -> "Studio":
        settings.images_dir.mkdir(parents=True, exist_ok=True)
        catalogue = read_catalogue(settings.catalogue)
        card, device = catalogue[settings.default_model], choose_device(settings.device)
        engine = Engine(Knees(1), device.name)
        engine.start()
        return cls(settings, catalogue, load_lanes(card, device, engine, settings.model_copy(update={"lanes": 1})))

    def accept(self, body: GenerateBody) -> tuple[str, ImageRequest]:
        request = complete(body, self._catalogue, self._settings, lambda: randbelow(SEED_LIMIT))
        job_id = new_job_id()
        self._status[job_id] = "queued"
        return job_id, request

    def make(self, job_id: str, request: ImageRequest) -> None:
        with self._lock, self._lanes.open() as lane:
            assert lane
            self._status[job_id] = "running"
            images = lane.run(request, Nobody())
        buffer = BytesIO()
        images[0].save(buffer, "png", compress_type=3)  # as our worker does
        self._file(job_id).write_bytes(buffer.getvalue())
        self._status[job_id] = "succeeded"

    def status(self, job_id: str) -> str | None:
        """A job that a killed process had finished is still known, by its file."""
        return self._status.get(job_id) or ("succeeded" if self._file(job_id).exists() else None)

    def _file(self, job_id: str) -> Path:
        return self._settings.images_dir / f"{job_id}.png"


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.studio = await run_in_threadpool(Studio.load, Settings())
    yield


def _studio(request: Request) -> Studio:
    return cast(Studio, request.app.state.studio)


StudioDep = Annotated[Studio, Depends(_studio)]
app = FastAPI(lifespan=_lifespan)

# The routes are coroutines: plain functions would share the thread pool with the jobs that wait for the model,
# and would stand still behind forty of them.


@app.post("/generate", status_code=202)
async def generate(body: GenerateBody, background: BackgroundTasks, studio: StudioDep) -> dict[str, str]:
    job_id, request = studio.accept(body)
    background.add_task(studio.make, job_id, request)
    return {"id": job_id, "status": "queued"}


@app.get("/jobs/{job_id}")
async def read_job(job_id: str, studio: StudioDep) -> dict[str, str]:
    status = studio.status(job_id)
    if status is None:
        raise HTTPException(404)
    return {"id": job_id, "status": status}


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}
