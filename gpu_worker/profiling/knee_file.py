"""Knees that were measured before, on this device and with these versions: a restart need not measure again."""

import hashlib
import json
import platform
from dataclasses import astuple
from importlib.metadata import version
from pathlib import Path

import structlog
import torch

from gpu_worker.engine.call import Entry
from gpu_worker.engine.calls.arguments import Fit
from gpu_worker.engine.knees import Profile
from gpu_worker.memory.device import Peak

log = structlog.get_logger()

VERSIONS = ("torch", "diffusers", "transformers")


class KneeFile:
    """One file a model, its tuning, device and set of versions. A damaged or unwritable one costs a measurement."""

    def __init__(self, folder: Path, model: str, device: str, tuning: str = "") -> None:
        self._path = folder / f"{model}-{digest_of(model, tuning, device_mark(device))}.json"
        self._kept = self._read()

    def get(self, fit: Fit, forwards_at_once: int = 1) -> Profile | None:
        return self._kept.get(_name(fit, forwards_at_once))

    def put(self, fit: Fit, profile: Profile, forwards_at_once: int = 1) -> None:
        self._kept[_name(fit, forwards_at_once)] = profile
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".draft")
            values = {name: [profile.rows, *astuple(profile.peak)] for name, profile in self._kept.items()}
            draft.write_text(json.dumps(values, indent=1), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:
            log.warning("knees.not_kept", reason=str(error))

    def _read(self) -> dict[str, Profile]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                str(name): Profile(max(1, rows), Peak(int(fixed), int(row)))
                for name, (rows, fixed, row) in kept.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}


def device_mark(device: str) -> str:
    """What a measurement or a compiled kernel holds for: this device, and these versions."""
    return "|".join([_device_name(device), str(torch.get_num_threads()), *(version(name) for name in VERSIONS)])


def digest_of(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _name(fit: Fit, forwards_at_once: int) -> str:
    """The same in every process: an entry holds the network itself, whose text would be long and say its address."""
    parts = [f"{part.network}.{part.name}" if isinstance(part, Entry) else repr(part) for part in fit]
    parts.append(str(forwards_at_once))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def _device_name(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{device} {platform.processor() or platform.machine()}"
