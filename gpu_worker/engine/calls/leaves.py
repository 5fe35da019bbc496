"""The kinds of argument a network's call has, each with what makes two of them fit, and how they are joined."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch.utils.weak import WeakIdKeyDictionary

from models.transfer import on_device

# Whole numbers that a network turns into float32 anyway.
WHOLE = frozenset({torch.int32, torch.int64})
# By tensor. torch gives it no annotations.
_fingerprints: Any = WeakIdKeyDictionary()
_fingerprints_lock = threading.Lock()


class Leaf(Protocol):
    @property
    def fit(self) -> object:
        """Leaves with equal fits can be joined."""

    def join(self, leaves: Sequence[Any], rows: Sequence[int], padding: int) -> Any:
        """One argument for all calls; `leaves` are theirs, this one first. The last row is repeated `padding` times."""


@dataclass(frozen=True)
class Rows:
    """A tensor with a row a sample. A scalar, such as Stable Diffusion's timestep, and a single row hold for all."""

    tensor: torch.Tensor
    device: torch.device | None = None
    """Where the network wants it: lanes keep timesteps on the CPU. None: where it is."""
    is_timestep: bool = False
    is_position: bool = False

    @property
    def fit(self) -> object:
        tensor = self.tensor
        dtype = torch.float32 if self.is_timestep and tensor.dtype in WHOLE else tensor.dtype
        places = fingerprint(tensor, row=0) if self.is_position else None
        return dtype, self.device or tensor.device, tuple(tensor.shape[1:]), places

    def join(self, leaves: Sequence["Rows"], rows: Sequence[int], padding: int) -> torch.Tensor:
        parts = [leaf.full(count) for leaf, count in zip(leaves, rows, strict=True)]
        if padding:
            parts.append(parts[-1][-1:].expand(padding, *parts[-1].shape[1:]))
        if self.is_timestep:
            parts = [part.float() if part.dtype in WHOLE else part for part in parts]
        # Lanes' latents differ in memory format from step to step, and a compiled network is compiled for one.
        joined = torch.cat(parts).contiguous()
        return joined if self.device is None else on_device(joined, self.device)

    @property
    def nbytes(self) -> int:
        return self.tensor.nbytes

    def first(self) -> "Rows":
        return replace(self, tensor=self.tensor[:1] if self.tensor.ndim else self.tensor)

    def full(self, rows: int) -> torch.Tensor:
        if self.tensor.ndim == 0:
            return self.tensor.expand(rows)
        return self.tensor if self.tensor.shape[0] == rows else self.tensor.expand(rows, *self.tensor.shape[1:])


@dataclass(frozen=True)
class Shared:
    """A tensor without a batch dimension: one for all, so it must be the same for all."""

    tensor: torch.Tensor

    @property
    def fit(self) -> object:
        return self.tensor.dtype, self.tensor.device, tuple(self.tensor.shape), fingerprint(self.tensor)

    def join(self, _leaves: Sequence[Any], _rows: Sequence[int], _padding: int) -> torch.Tensor:
        return self.tensor


@dataclass(frozen=True)
class Value:
    """Anything else: a flag, a scale."""

    value: Any

    @property
    def fit(self) -> object:
        """Equal values fit; of what cannot be compared, only the very same object does."""
        try:
            hash(self.value)
        except TypeError:
            return type(self.value), id(self.value)
        return type(self.value), self.value

    def join(self, _leaves: Sequence[Any], _rows: Sequence[int], _padding: int) -> Any:
        return self.value


@dataclass(frozen=True)
class Samples:
    """A list with an entry a sample."""

    entries: tuple[Any, ...]
    any_length: bool = False

    @property
    def device(self) -> torch.device | None:
        return next((entry.device for entry in self.entries if isinstance(entry, torch.Tensor)), None)

    @property
    def fit(self) -> object:
        """Of all entries together: samples of one call that differ among themselves fit only beside the like."""
        return frozenset(self._entry_fit(entry) for entry in self.entries)

    def join(self, leaves: Sequence["Samples"], _rows: Sequence[int], padding: int) -> list[Any]:
        entries = [entry for leaf in leaves for entry in leaf.entries]
        return [*entries, *[entries[-1]] * padding]

    @property
    def nbytes(self) -> int:
        return sum(entry.nbytes for entry in self.entries if isinstance(entry, torch.Tensor))

    def first(self) -> "Samples":
        return replace(self, entries=self.entries[:1])

    def _entry_fit(self, entry: Any) -> object:
        if isinstance(entry, torch.Tensor):
            return entry.dtype, entry.device, tuple(entry.shape[1:] if self.any_length else entry.shape)
        return repr(entry)


@dataclass(frozen=True)
class Prompt:
    """States of a prompt's tokens, and which of them are valid. Padded where lengths differ."""

    states: torch.Tensor
    mask: torch.Tensor | None

    @property
    def device(self) -> torch.device:
        return self.states.device

    @property
    def fit(self) -> object:
        return self.states.dtype, self.states.device, self.states.shape[2:]

    def join(
        self, leaves: Sequence["Prompt"], rows: Sequence[int], padding: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        longest = max(leaf.states.shape[1] for leaf in leaves)
        states = Rows(self.states).join([Rows(leaf._padded(leaf.states, longest)) for leaf in leaves], rows, padding)
        if all(leaf.mask is None and leaf.states.shape[1] == longest for leaf in leaves):
            return states, None
        return states, Rows(self.states).join([Rows(leaf._full_mask(longest)) for leaf in leaves], rows, padding)

    @property
    def nbytes(self) -> int:
        return self.states.nbytes

    def first(self) -> "Prompt":
        return Prompt(self.states[:1], None if self.mask is None else self.mask[:1])

    def shorter(self) -> "Prompt":
        return Prompt(self.states[:, :-1], None if self.mask is None else self.mask[:, :-1])

    def _full_mask(self, length: int) -> torch.Tensor:
        """A mask of its own even where there was none: all tokens valid, what was added not."""
        if self.mask is None:
            mask = torch.ones(self.states.shape[:2], dtype=torch.bool, device=self.states.device)
        else:
            mask = self.mask.to(torch.bool)
        return self._padded(mask, length)

    @staticmethod
    def _padded(tensor: torch.Tensor, length: int) -> torch.Tensor:
        missing = length - tensor.shape[1]
        return torch.cat([tensor, tensor.new_zeros(tensor.shape[0], missing, *tensor.shape[2:])], dim=1)


def fingerprint(tensor: torch.Tensor, row: int | None = None) -> bytes:
    """A digest of the tensor's content, or of one row's: tensors that a whole batch would share must hold the same.

    Reading it waits for the device, so it is kept as long as the tensor lives and nobody writes into it:
    pipelines make their position ids once, and pass the same object at every step.
    """
    mark = (row, _version(tensor))
    with _fingerprints_lock:
        known: dict[object, bytes] = _fingerprints.get(tensor, {})
    if mark not in known:
        digest = _digest(tensor if row is None else tensor[row])
        with _fingerprints_lock:
            _fingerprints[tensor] = {mark: digest}
        return digest
    return known[mark]


def _version(tensor: torch.Tensor) -> int:
    """Grows when the tensor is written into. Inference tensors do not count."""
    return 0 if tensor.is_inference() else tensor._version


def _digest(tensor: torch.Tensor) -> bytes:
    content = tensor.detach().to("cpu", torch.float64).numpy().tobytes()
    return hashlib.blake2b(content, digest_size=16).digest()
