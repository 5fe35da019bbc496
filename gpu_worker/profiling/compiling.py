"""Compiles the network that runs at each step, for a few batch sizes, before any job comes.

From then on nothing is compiled any more: what has another shape runs as it would without. A compiler that starts in
the middle of a step would hold up every lane for seconds or minutes.
"""

import inspect
import os
import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import _dynamo as dynamo
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

from gpu_worker.engine.call import Call, Entry
from gpu_worker.engine.calls.arguments import Arguments, join, shorter, single
from gpu_worker.engine.calls.families import ANY_LENGTH, MASKED_PROMPTS
from gpu_worker.profiling.measure import run_copies

# Copies of a call that are compiled for. Less than a third of a forward is padding.
COPIES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
# Graphs of one function. torch gives up after 8, which is sizes of one shape; a UNet's blocks have four shapes.
MOST_GRAPHS = 512
CACHE_DIR = "TORCHINDUCTOR_CACHE_DIR"


class Compiled:
    """A network whose repeated blocks are compiled, or the whole of it where it has none that diffusers knows of.

    One that takes prompts of any length is compiled once for all sizes, since lengths are no fixed few.
    """

    def __init__(self, network: Any, backend: str | Callable[..., Any] = "inductor") -> None:
        self._network = network
        self._takes_any_length = _takes_any_length(network)
        dynamo.config.recompile_limit = max(dynamo.config.recompile_limit, MOST_GRAPHS)
        dynamo.config.accumulated_recompile_limit = max(dynamo.config.accumulated_recompile_limit, 8 * MOST_GRAPHS)
        has_blocks = bool(getattr(network, "_repeated_blocks", None))
        compile_it = network.compile_repeated_blocks if has_blocks else network.compile
        compile_it(backend=backend, dynamic=self._takes_any_length)

    def holds(self, entry: Entry) -> bool:
        return entry.run is self._network

    def warm(self, call: Call, most_rows: int) -> tuple[int, ...]:
        """Runs the call in every size up to `most_rows`, in the engine's thread.

        Returns the sizes that batches have to be padded to, if they do.
        """
        arguments = call.arguments
        if arguments is None:
            return ()
        if self._takes_any_length:
            _warm_lengths(call, arguments, most_rows)
            return ()
        sizes = sizes_up_to(most_rows, arguments.rows)
        for rows in sizes:
            run_copies(call, arguments, rows)
        return sizes

    def undo(self) -> None:
        for module in self._network.modules():
            module._compiled_call_impl = None


def sizes_up_to(most_rows: int, least: int) -> tuple[int, ...]:
    """A call brings `least` rows, so batches are mostly multiples of it."""
    return tuple(sorted({least * copies for copies in COPIES if least * copies < most_rows} | {max(least, most_rows)}))


@contextmanager
def compiling() -> Iterator[None]:
    """The compiler works in here, and at no other time."""
    torch.compiler.set_stance("default")
    try:
        yield
    finally:
        torch.compiler.set_stance("eager_on_recompile")
        _end_compiler_processes()


def keep_compiled_in(folder: Path, environment: MutableMapping[str, str] = os.environ) -> None:
    """Where kernels stay, for the next start. What the operator chose, in torch's own words, is left alone."""
    # torch has no other way to say it, and writes its own choice there, a folder for temporary files, when imported.
    if environment.get(CACHE_DIR) in {None, default_cache_dir()}:
        environment[CACHE_DIR] = str(folder.resolve())


def _takes_any_length(network: Any) -> bool:
    names = inspect.signature(network.forward).parameters.keys()
    return (type(network).__name__, "forward") in MASKED_PROMPTS or not ANY_LENGTH.isdisjoint(names)


def _warm_lengths(call: Call, arguments: Arguments, most_rows: int) -> None:
    """One row is a case of its own to torch, and so are prompts with a mask, which some get only in a batch."""
    one = single(arguments)
    batches: Sequence[list[Arguments]] = ([one], [one, one], [one, shorter(one)])
    for batch_mates in batches:
        if len(batch_mates) <= max(most_rows, arguments.rows):
            call.entry.run(**join(batch_mates))


def _end_compiler_processes() -> None:
    """Inductor keeps them for the next time, and each holds some hundred MB."""
    if module := sys.modules.get("torch._inductor.async_compile"):
        module.shutdown_compile_workers()
