"""Weights in 8 bits: half the memory of a denoiser, and on newer GPUs faster products."""

from importlib.util import find_spec
from typing import Any

from darkroom.errors import Misconfigured

# The least compute capability with tensor cores for float8: Ada and Hopper.
FLOAT8_PRODUCTS = (8, 9)


def quantize(network: Any, how: str, capability: tuple[int, int]) -> None:
    """Raises Misconfigured for a GPU or a package that cannot do it."""
    if how == "float8_storage":
        keep_in_float8(network)
    elif how == "float8" and capability < FLOAT8_PRODUCTS:
        raise Misconfigured(
            f"quantization = 'float8' needs a GPU of compute capability 8.9; this one has "
            f"{'.'.join(map(str, capability))}. 'float8_storage' and 'int8' run here."
        )
    else:
        _by_torchao(network, how)


def keep_in_float8(network: Any) -> None:
    """Each layer's weights are cast at each use, and norms are left as they are."""
    import torch

    network.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=network.dtype)


def _by_torchao(network: Any, how: str) -> None:
    if find_spec("torchao") is None:
        raise Misconfigured(f"quantization = {how!r} needs one more package: pip install torchao")
    import torchao.quantization as ao

    configs = {"float8": "Float8DynamicActivationFloat8WeightConfig", "int8": "Int8WeightOnlyConfig"}
    ao.quantize_(network, getattr(ao, configs[how])())
