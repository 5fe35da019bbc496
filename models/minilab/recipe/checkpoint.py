"""Where training goes on after it was stopped: weights, optimizer and step in one file, replaced as a whole."""

from pathlib import Path
from typing import Any

import torch


class Checkpoint:
    def __init__(self, file: Path, *parts: Any) -> None:
        """The parts have `state_dict` and `load_state_dict`: modules, optimizers."""
        self._file = file
        self._parts = parts

    def load(self) -> int:
        """Fills the parts. Returns the step to go on with, 0 where nothing was saved."""
        if not self._file.exists():
            return 0
        saved = torch.load(self._file, weights_only=True, map_location="cpu")
        for part, state in zip(self._parts, saved["parts"], strict=True):
            part.load_state_dict(state)
        return int(saved["step"])

    def save(self, step: int) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        half_written = self._file.with_suffix(".part")
        torch.save({"step": step, "parts": [part.state_dict() for part in self._parts]}, half_written)
        half_written.replace(self._file)
