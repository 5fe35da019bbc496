"""What running out of memory looks like."""

import torch

# CUDA has an exception of its own for it; the CPU and Apple's GPU only have words.
WORDS = ("can't allocate memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS)
    )


def free_memory() -> None:
    """Give back what the allocator keeps in blocks of the wrong size."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
