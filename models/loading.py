"""Loads a model of the catalogue as a diffusers pipeline, from this machine alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from darkroom.catalogue import ModelCard
from darkroom.errors import Misconfigured, WeightsMissing, WeightsRefused
from models.device import capability_of
from models.tuning import tune
from models.weights import cached_snapshot, find_weights, how_to_get

if TYPE_CHECKING:
    import torch
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline


def load_pipeline(
    card: ModelCard, *, device: str, dtype: "torch.dtype", weights_dir: Path | None = None
) -> "DiffusionPipeline":
    """The whole pipeline on its device, ready to be called.

    Raises WeightsMissing, WeightsRefused, or Misconfigured if diffusers or another package is too old or not there,
    or if the card asks for what this GPU cannot do.
    """
    folder = find_weights(card, weights_dir)
    _silence_progress_bars()
    pipeline = _from_folder(card, folder, dtype, weights_dir)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(device)
    if device.startswith("cuda"):
        tune(pipeline, card.cuda, capability_of(device))
    return pipeline


def load_controlnets(card: ModelCard, base: "DiffusionPipeline") -> dict[str, object]:
    """The card's ControlNets by name, beside the pipeline that they lead. Raises WeightsMissing."""
    import diffusers

    loaded: dict[str, object] = {}
    for name, source in card.controlnets.items():
        folder = source.path or cached_snapshot(str(source.hub_id), None)
        if folder is None or not folder.is_dir():
            where = f"in {source.path}" if source.path else f"on this machine: hf download {source.hub_id}"
            raise WeightsMissing(f"No weights of {card.id}'s ControlNet {name} {where}.")
        network: Any = diffusers.ControlNetModel.from_pretrained(
            folder, torch_dtype=base.dtype, use_safetensors=True, local_files_only=True
        )
        loaded[name] = network.to(base.device)
    return loaded


def _from_folder(card: ModelCard, folder: Path, dtype: "torch.dtype", weights_dir: Path | None) -> "DiffusionPipeline":
    import diffusers
    from safetensors import SafetensorError

    pipeline_class = getattr(diffusers, card.pipeline, None)
    if pipeline_class is None:
        raise Misconfigured(
            f"The catalogue's entry [{card.id}] names {card.pipeline}, which diffusers {diffusers.__version__} lacks."
        )
    try:
        pipeline = pipeline_class.from_pretrained(
            folder,
            dtype=dtype,
            variant=_variant_in(folder, card.variant),
            use_safetensors=True,
            local_files_only=True,
        )
    except ImportError as error:
        raise Misconfigured(
            f"{card.id} needs a package that is not installed here. {' '.join(str(error).split())}"
        ) from error
    except (OSError, SafetensorError) as error:
        raise WeightsMissing(
            f"Weights of {card.id} in {folder} are incomplete or damaged ({error}). {how_to_get(card, weights_dir)}"
        ) from error
    except ValueError as error:
        raise WeightsRefused(f"{folder} does not fit together as a {card.pipeline}: {error}") from error
    return cast("DiffusionPipeline", pipeline)


def _silence_progress_bars() -> None:
    """They would break up the worker's log; both libraries have no switch but a global one."""
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()


def _variant_in(folder: Path, variant: str | None) -> str | None:
    """None where the folder has plain files, such as one that `save_pretrained` wrote."""
    has_variant = variant is not None and any(folder.glob(f"*/*.{variant}*.safetensors"))
    return variant if has_variant else None
