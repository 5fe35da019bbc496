"""Tiny pipelines, each built and loaded once for the whole run."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from darkroom.catalogue import Catalogue, ModelCard, read_catalogue
from darkroom.settings import BUNDLED_CATALOGUE
from models.loading import load_pipeline
from tests.models.tiny import pipelines as tiny
from tests.models.tiny.pipelines import Family

TinyCard = Callable[[Family], ModelCard]
TinyPipeline = Callable[[Family], Any]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """A second one wins little on networks this small, and its idle team would spin beside other tests."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return read_catalogue(BUNDLED_CATALOGUE)


@pytest.fixture(scope="session")
def tiny_card(tmp_path_factory: pytest.TempPathFactory) -> TinyCard:
    folder = tmp_path_factory.mktemp("tiny")

    @cache
    def saved(family: Family) -> ModelCard:
        return tiny.save(family, folder / family)

    return saved


@pytest.fixture(scope="session")
def tiny_pipeline(tiny_card: TinyCard) -> TinyPipeline:
    @cache
    def loaded(family: Family) -> Any:
        return _load(tiny_card(family))

    return loaded


@pytest.fixture(scope="session")
def minilab(catalogue: Catalogue) -> Any:
    return _load(catalogue["minilab"])


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def _load(card: ModelCard) -> Any:
    import torch

    return load_pipeline(card, device="cpu", dtype=torch.float32)
