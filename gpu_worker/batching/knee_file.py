"""Knees that were measured before, on this device and with these versions: a restart need not measure again."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import structlog
import torch

from gpu_worker.batching.arguments import Fit
from gpu_worker.batching.call import Entry

log = structlog.get_logger()

VERSIONS = ("torch", "diffusers", "transformers")


class KneeFile:
    """One file a model, device and set of versions. A damaged or unwritable one costs a measurement, no more."""

    def __init__(self, folder: Path, model: str, device: str) -> None:
        parts = [model, _device_name(device), str(torch.get_num_threads()), *(version(name) for name in VERSIONS)]
        digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]
        self._path = folder / f"{model}-{digest}.json"
        self._rows = self._read()

    def get(self, fit: Fit) -> int | None:
        return self._rows.get(_name(fit))

    def put(self, fit: Fit, rows: int) -> None:
        self._rows[_name(fit)] = rows
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".draft")
            draft.write_text(json.dumps(self._rows, indent=1), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            log.warning("knees.not_kept", reason=str(error))

    def _read(self) -> dict[str, int]:
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): max(1, int(value)) for name, value in rows.items()}
        except (OSError, ValueError, AttributeError):
            return {}


def _name(fit: Fit) -> str:
    """The same in every process: an entry holds the network itself, whose text would be long and say its address."""
    parts = [f"{part.network}.{part.name}" if isinstance(part, Entry) else repr(part) for part in fit]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def _device_name(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{device} {platform.processor() or platform.machine()}"
