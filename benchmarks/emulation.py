"""A device that is not there: each forward of a denoiser takes as long as a published curve says.

All else of a pipeline is real, with tiny tensors. One forward at a time runs on the device, whichever process or thread
it comes from, and Python is free meanwhile, as it is while a GPU computes. Imports nothing of Darkroom, so that it also
runs where that is not installed.
"""

import fcntl
import functools
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Denoiser = Literal["UNet2DConditionModel", "FluxTransformer2DModel"]


@dataclass(frozen=True)
class Curve:
    """`step_s` is a forward of one image alone. `best` images together give `gain` times as many images a second.

    Up to there a forward grows by the same for each image; beyond it, images a second stay what they are.
    """

    title: str
    family: Literal["sd", "sdxl", "flux"]
    denoiser: Denoiser
    rows_an_image: int
    step_s: float
    gain: float
    best: int
    source: str

    def seconds(self, images: int) -> float:
        if images > self.best:
            return self.seconds(self.best) * images / self.best
        shared = (self.best - self.best / self.gain) / (self.best - 1)
        return self.step_s * (shared + (1 - shared) * images)


CURVES: Mapping[str, Curve] = {
    "small": Curve(
        "small model, 2.4 × at 8",
        "sd",
        "UNet2DConditionModel",
        rows_an_image=2,
        step_s=0.020,
        gain=2.4,
        best=8,
        source="no GPU's: the gain that our own minilab was measured with on two CPU cores, at a small UNet's pace",
    ),
    "sdxl-512": Curve(
        "SDXL 512², 3.1 × at 8",
        "sdxl",
        "UNet2DConditionModel",
        rows_an_image=2,
        step_s=0.040,
        gain=3.1,
        best=8,
        source="gain: Qwen-Image at 512² on an H200, 2.77 × at 4 and 3.14 × at 8 (sgl-project/sglang, pull request "
        "22183, comment of April 10, 2026), as we found none for SDXL itself; pace: SDXL Turbo at 512² on an A100, "
        "79 ms for 4 steps without guidance (model card of stabilityai/sdxl-turbo-tensorrt), doubled for guidance",
    ),
    "sdxl-1024": Curve(
        "SDXL 1024², 1.35 × at 4",
        "sdxl",
        "UNet2DConditionModel",
        rows_an_image=2,
        step_s=0.100,
        gain=1.35,
        best=4,
        source="gain: the better end of what is reported for SDXL at 1024² and four images (1.09 × on an L4: "
        "luxonis/datadreamer, pull request 34; 1.2 to 1.4 × on larger cards, by this project's notes); pace: 30 steps "
        "in 3.7 s on an A100 and 2.5 s on an H100 (model card of stabilityai/stable-diffusion-xl-1.0-tensorrt)",
    ),
    "flux-1024": Curve(
        "FLUX 1024², 1.03 × at 4",
        "flux",
        "FluxTransformer2DModel",
        rows_an_image=1,
        step_s=0.150,
        gain=1.03,
        best=4,
        source="gain: Qwen-Image at 1024² on an H200, 1.02 × at 2 (sgl-project/sglang, pull request 22183, comment of "
        "April 10, 2026), a transformer of the same kind; pace: about 110 TFLOP a step, at what an H100 does of them",
    ),
}


class EmulatedDevice:
    """`turn` is a file that all processes which share the device name alike."""

    def __init__(
        self,
        curve: Curve,
        turn: Path,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._curve = curve
        self._turn = turn
        self._clock = clock
        self._sleep = sleep

    def run(self, forward: Callable[[], Any], rows: int) -> Any:
        """Returns when as much time has gone by as the device would have taken, from when it was free."""
        with self._turn.open("ab") as turn:  # opened anew: threads of one process wait for each other as well
            fcntl.flock(turn, fcntl.LOCK_EX)
            done_s = self._clock() + self._curve.seconds(max(1, rows // self._curve.rows_an_image))
            result = forward()
            self._sleep(max(0.0, done_s - self._clock()))
            return result


def slow_down(network: Any, name: str, turn: Path) -> None:
    """A denoiser, or the class of all that this process will have."""
    network.forward = slowed(network.forward, EmulatedDevice(CURVES[name], turn))


def slow_down_all(name: str, turn: Path) -> None:
    """Whichever pipelines this process will load."""
    import diffusers

    slow_down(getattr(diffusers, CURVES[name].denoiser), name, turn)


def slowed(forward: Callable[..., Any], device: EmulatedDevice) -> Callable[..., Any]:
    """A network's method with the same signature, whose first argument brings the rows."""
    signature = inspect.signature(forward)
    sample = next(name for name in signature.parameters if name != "self")

    @functools.wraps(forward)
    def slow(*args: Any, **kwargs: Any) -> Any:
        rows = signature.bind(*args, **kwargs).arguments[sample].shape[0]
        return device.run(lambda: forward(*args, **kwargs), rows)

    return slow
