"""Tiny pipelines for these tests too. Torch gets one thread, and idle ones sleep instead of spinning beside others."""

import os

import pytest

# Read when torch is imported, so before anything here imports it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from tests.models.conftest import (
    one_thread,  # noqa: F401
    tiny_card,  # noqa: F401
    tiny_pipeline,  # noqa: F401
)


@pytest.fixture(scope="session", autouse=True)
def quiet_diffusers() -> None:
    from diffusers.utils import logging

    logging.set_verbosity_error()
