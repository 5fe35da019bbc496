"""Darkroom's own GPU worker on the emulated device: `celery -A benchmarks.emulated.worker worker -Q gpu.MODEL`."""

from benchmarks.assignment import Assignment
from benchmarks.emulation import slow_down_all

ASSIGNMENT = Assignment.of_this_process()
slow_down_all(ASSIGNMENT.emulated, ASSIGNMENT.turn)

from gpu_worker.app import app  # noqa: E402  the same in all else

__all__ = ["app"]
