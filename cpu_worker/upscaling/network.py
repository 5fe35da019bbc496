"""The network that makes images larger: Real-ESRGAN's small one, run by ncnn on the CPU."""

import os
from typing import Any

import numpy as np

from cpu_worker.upscaling.tiles import Pixels
from cpu_worker.upscaling.weights import files_of


class Network:
    """Eighteen convolutions of 3x3. May be called by several threads."""

    def __init__(self, factor: int) -> None:
        # Read by OpenMP when ncnn is loaded: idle threads that spin would slow down whoever else is on this machine.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import ncnn

        files = files_of(factor)
        assert files is not None, "a worker without the network serves no queue that would lead here"
        self._factor = factor
        self._net: Any = ncnn.Net()
        self._net.opt.use_vulkan_compute = False
        self._net.opt.num_threads = _cores()
        for load, file in zip((self._net.load_param, self._net.load_model), files, strict=True):
            if load(str(file)) != 0:
                raise OSError(f"ncnn cannot read {file.name}")

    def __call__(self, pixels: Pixels) -> Pixels:
        import ncnn

        channels_first = np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32) / 255
        extractor = self._net.create_extractor()
        extractor.input("data", ncnn.Mat(channels_first))
        code, made = extractor.extract("output")
        if code != 0:
            raise MemoryError(f"ncnn cannot compute {pixels.shape[1]}x{pixels.shape[0]} pixels")
        rounded = np.clip(np.array(made) * 255 + 0.5, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(rounded.transpose(1, 2, 0))


def _cores() -> int:
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) else len(os.sched_getaffinity(0))
