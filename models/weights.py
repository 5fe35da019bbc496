"""Finds a model's folder of weights on this machine, and refuses what must not be loaded. Never uses the network."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from darkroom.catalogue import ModelCard
from darkroom.errors import WeightsMissing, WeightsRefused

# Pickles: loading one runs whatever code its author put in.
PICKLES = frozenset({".bin", ".ckpt", ".pkl", ".pt", ".pth"})


def find_weights(card: ModelCard, weights_dir: Path | None) -> Path:
    """The folder to load: the card's own, else `weights_dir/MODEL`, else the hub cache's.

    Raises WeightsMissing with the command to run, or WeightsRefused.
    """
    folder = _folder(card, weights_dir)
    if folder is None:
        raise WeightsMissing(f"No weights of {card.id} on this machine. {how_to_get(card, weights_dir)}")
    _check(card, folder, weights_dir)
    return folder


def how_to_get(card: ModelCard, weights_dir: Path | None) -> str:
    """A sentence for whoever runs the worker."""
    if card.path is not None:
        return f"The catalogue expects them in {card.path}, as `save_pretrained` of {card.pipeline} writes them."
    gate = f"Accept the licence at https://huggingface.co/{card.hub_id} and run `hf auth login`, then: "
    return f"{gate if card.gated else 'Run: '}{download_command(card, weights_dir)}"


def download_command(card: ModelCard, weights_dir: Path | None) -> str:
    """Fetches just what the pipeline reads: not the single-file checkpoints at a repository's root, nor pickles."""
    weights = f"*/*.{card.variant}*.safetensors" if card.variant else "*/*.safetensors"
    words = ["hf", "download", str(card.hub_id)]
    words += ["--revision", card.revision] if card.revision else []
    for pattern in ("*.json", "*.txt", "*.model", "*.jinja", weights):
        words += ["--include", pattern]
    for pattern in card.skip:
        words += ["--exclude", pattern]
    words += ["--local-dir", str(weights_dir / card.id)] if weights_dir else []
    return shlex.join(words)


def cached_snapshot(repository: str, revision: str | None) -> Path | None:
    """A repository's folder in the hub cache of this machine; None if it is not there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None


def _folder(card: ModelCard, weights_dir: Path | None) -> Path | None:
    if card.path is not None:
        return card.path if card.path.is_dir() else None
    if weights_dir is not None and (weights_dir / card.id).is_dir():
        return weights_dir / card.id
    return cached_snapshot(str(card.hub_id), card.revision)


def _check(card: ModelCard, folder: Path, weights_dir: Path | None) -> None:
    index = _model_index(card, folder, weights_dir)
    if index.get("_class_name") != card.pipeline:
        raise WeightsRefused(
            f"{folder} holds a {index.get('_class_name')}, but the catalogue's entry [{card.id}] says {card.pipeline}."
        )
    for component, library in _components(index):
        _check_component(card, folder / component, library, weights_dir)


def _model_index(card: ModelCard, folder: Path, weights_dir: Path | None) -> Mapping[str, object]:
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsMissing(
            f"{folder} has no model_index.json, so it is no pipeline's folder. {how_to_get(card, weights_dir)}"
        ) from None
    except (OSError, ValueError) as error:
        raise WeightsRefused(f"{folder / 'model_index.json'} cannot be read: {error}") from error
    return index if isinstance(index, dict) else {}


def _components(index: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Name and library of each component that the pipeline has; `[null, null]` stands for one it does without."""
    for name, value in index.items():
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
            yield name, value[0]


def _check_component(card: ModelCard, folder: Path, library: str, weights_dir: Path | None) -> None:
    if not folder.is_dir():
        raise WeightsMissing(f"{folder} is missing: a download cut short? {how_to_get(card, weights_dir)}")
    if (folder / f"{library}.py").exists():
        raise WeightsRefused(f"{folder} brings Python code of its own ({library}.py), which Darkroom never runs.")
    suffixes = {file.suffix for file in folder.iterdir()}
    if suffixes & PICKLES and ".safetensors" not in suffixes:
        raise WeightsRefused(
            f"{folder} has its weights as pickles only ({', '.join(sorted(suffixes & PICKLES))}), which can run code "
            "when loaded. Convert them with `save_pretrained(…, safe_serialization=True)` on a machine you can lose."
        )
