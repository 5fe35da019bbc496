"""What step reuse saves in full batches: `python -m benchmarks.gpu.step_reuse --model M`. The last line is JSON."""

import argparse
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.gpu.subjects import MODELS, Loaded, card_of, loaded
from darkroom.catalogue import STEP_REUSE_LEVELS, StepReuse, Tuning
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.profiling.loading import Nobody


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        card = card_of(options.model, options.size, Tuning(), Path(folder)).model_copy(
            update={"step_reuse": StepReuse()}
        )
        with loaded(card, options.device) as subject:
            lanes = [PipelineLane(card, subject.pipeline, subject.engine) for _ in range(options.jobs)]
            _draw(subject, lanes, "off", steps=2)  # the first call of a shape is slow
            rates = {level: _draw(subject, lanes, level, options.steps) for level in STEP_REUSE_LEVELS}
    print(json.dumps({"model": options.model, "side": options.size, "steps": options.steps, "images_a_second": rates}))


def _draw(subject: Loaded, lanes: list[PipelineLane], level: str, steps: int) -> float:
    request = subject.request.model_copy(update={"step_reuse": level, "steps": steps})
    started_s = time.perf_counter()
    with ThreadPoolExecutor(len(lanes)) as threads:
        drawn: list[Any] = list(threads.map(lambda lane: lane.run(request, Nobody()), lanes))
    return round(len(drawn) / (time.perf_counter() - started_s), 2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--size", type=int, default=1024, help="width and height, pixels")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


if __name__ == "__main__":
    main()
