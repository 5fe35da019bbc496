"""Lanes over one engine, as a worker has them, with the bundled model on the CPU: draws many jobs at once."""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.step_reuse.image_quality import Pixels
from darkroom.catalogue import StepReuseLevel, read_catalogue
from darkroom.request import ImageRequest, OutputFormat, Priority
from darkroom.settings import BUNDLED_CATALOGUE
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.profiling.loading import Nobody
from models.loading import load_pipeline

LANES, ROWS = 16, 32


@dataclass(frozen=True)
class Drawn:
    images: Sequence[Pixels]
    rows: Sequence[int]
    """Of each forward of the denoiser."""
    wall_s: float
    cpu_s: float


class Studio:
    def __init__(self) -> None:
        self._card = read_catalogue(BUNDLED_CATALOGUE)["minilab"]
        self._rows: list[int] = []
        base: Any = load_pipeline(self._card, device="cpu", dtype=torch.float32, weights_dir=None)
        base.unet.register_forward_pre_hook(self._count, with_kwargs=True)
        self._engine = Engine(Knees(default_rows=ROWS), "cpu")
        self._engine.start()
        self._idle = [PipelineLane(self._card, base, self._engine) for _ in range(LANES)]
        self._lock = threading.Lock()

    def draw(self, level: StepReuseLevel, scheduler: str, steps: int, prompts: Sequence[str]) -> Drawn:
        requests = [self._request(level, scheduler, steps, prompt, seed) for seed, prompt in enumerate(prompts)]
        self._rows.clear()
        started_s, cpu_started_s = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(LANES, initializer=torch.set_num_threads, initargs=(1,)) as threads:
            images = list(threads.map(self._draw_one, requests))
        return Drawn(images, tuple(self._rows), time.perf_counter() - started_s, time.process_time() - cpu_started_s)

    def close(self) -> None:
        self._engine.stop()

    def _count(self, _network: object, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        self._rows.append(len(args[0] if args else kwargs["sample"]))

    def _draw_one(self, request: ImageRequest) -> Pixels:
        with self._lock:
            lane = self._idle.pop()
        try:
            return np.asarray(lane.run(request, Nobody())[0], dtype=np.float64) / 255
        finally:
            with self._lock:
                self._idle.append(lane)

    def _request(self, level: StepReuseLevel, scheduler: str, steps: int, prompt: str, seed: int) -> ImageRequest:
        return ImageRequest(
            model=self._card.id,
            prompt=prompt,
            negative_prompt=None,
            width=self._card.size.width,
            height=self._card.size.height,
            steps=steps,
            guidance_scale=self._card.guidance_scale.default,
            seed=seed,
            n=1,
            scheduler=scheduler,
            output_format=OutputFormat.PNG,
            priority=Priority.BULK,
            step_reuse=level,
        )
