"""One loaded pipeline for many callers: from threads, from asyncio, and a whole list at once.

Run it from the repository: .venv/bin/python examples/shared_pipeline.py
"""

import asyncio
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from gpu_worker.shared_pipeline import SharedPipeline

MINILAB = Path(__file__).parent.parent / "models" / "minilab"
PROMPTS = ["a red circle", "a blue star on a yellow background", "a boat on the sea at sunset"]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


def request(number: int, steps: int) -> dict[str, Any]:
    return {
        "prompt": PROMPTS[number % len(PROMPTS)],
        "num_inference_steps": steps,
        "guidance_scale": 3.0,
        "generator": seeded(number),
    }


def main() -> None:
    pipe: Any = DiffusionPipeline.from_pretrained(
        MINILAB, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    pipe.set_progress_bar_config(disable=True)
    with SharedPipeline(pipe, lanes=8) as shared:
        shared.measure(prompt="a test", num_inference_steps=2, guidance_scale=3.0)

        # From as many threads as one likes: each call blocks, and gives what the pipeline gives.
        with ThreadPoolExecutor(8) as threads:
            outputs = list(threads.map(lambda number: shared(**request(number, steps=4 + number)), range(8)))
        print(f"{len(outputs)} images of {outputs[0].images[0].size} from 8 threads")

        # From asyncio; a task that is canceled ends its call.
        async def both() -> list[Any]:
            return list(await asyncio.gather(shared.generate(**request(0, 6)), shared.generate(**request(1, 9))))

        print(f"{len(asyncio.run(both()))} images from two tasks")

        # A whole list, in the order that fills forwards best; results come in the order of the list.
        outputs = shared.map([request(number, steps=4 + number % 5) for number in range(12)])
        print(f"{len(outputs)} images from a list")

        # Without waiting, with progress, before others, and not wanted any more.
        steps: list[int] = []
        urgent = shared.submit(**request(0, 5), priority=-1, progress=lambda step, _steps: steps.append(step))
        given_up = shared.submit(**request(1, 500))
        given_up.cancel()
        urgent.result()
        try:
            given_up.result()
        except CancelledError:
            print(f"steps {steps}, and one canceled")


if __name__ == "__main__":
    main()
