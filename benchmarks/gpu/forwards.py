"""How long a denoiser's forward takes, and how much memory, by images: `python -m benchmarks.gpu.forwards --model M`.

With the model's curve, an emulated device can be given what a real one does; with `--tuning`, it is an ablation.
The last line printed is JSON.
"""

import argparse
import json
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.subjects import MODELS, Loaded, card_of, loaded
from darkroom.catalogue import Tuning
from gpu_worker.engine.call import Call
from gpu_worker.memory.device import free_memory, is_out_of_memory
from gpu_worker.profiling.compiling import Compiled, compiling
from gpu_worker.profiling.measure import run_copies, timed
from models.tuning import denoiser_of

MIB = 2**20


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        card = card_of(options.model, options.size, Tuning(**json.loads(options.tuning)), Path(folder))
        with loaded(card, options.device) as subject:
            if not options.channels_last:
                denoiser_of(subject.pipeline).to(memory_format=torch.contiguous_format)
            images = forwards(subject, options.images)
    said = {"model": options.model, "side": options.size, "tuning": options.tuning, "images": images}
    print(json.dumps({**said, "channels_last": options.channels_last}))


def forwards(subject: Loaded, images: list[int]) -> dict[str, Any]:
    """By images in a forward. Ends where memory does."""
    step = next(call for call in subject.tapped() if call.entry.is_step)
    with compiling() if subject.card.cuda.compile else nullcontext():
        if subject.card.cuda.compile:
            Compiled(denoiser_of(subject.pipeline))
        found: dict[str, Any] = {}
        for count in images:
            one = subject.engine.do(lambda count=count: _forward(subject, step, count))  # type: ignore[misc]
            if one is None:
                break
            found[str(count)] = one
    return found


def _forward(subject: Loaded, step: Call, images: int) -> dict[str, float] | None:
    """In the engine's thread. None: out of memory."""
    arguments = step.arguments
    assert arguments, "a call that was taken apart"
    rows = images * arguments.rows
    try:
        run_copies(step, arguments, rows)  # the first of a shape is slow
        taken = subject.engine.memory.taken_by(lambda: run_copies(step, arguments, rows))
        seconds = min(timed(lambda: run_copies(step, arguments, rows), subject.device.name))
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        free_memory()
        return None
    return {"ms": round(1000 * seconds, 2), "images_a_second": round(images / seconds, 2), "mib": round(taken / MIB)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--size", type=int, default=1024, help="width and height, pixels")
    parser.add_argument("--tuning", default="{}", help='the card\'s `cuda`, as JSON: {"compile": true}')
    parser.add_argument("--no-channels-last", dest="channels_last", action="store_false")
    parser.add_argument("--images", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--device", default="cuda")
    return parser.parse_args()


if __name__ == "__main__":
    main()
