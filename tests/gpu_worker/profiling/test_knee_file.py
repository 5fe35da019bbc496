"""Knees survive a restart, and nothing that happens to their file stops a worker."""

import inspect
from pathlib import Path

import pytest
import torch

from gpu_worker.engine.call import Entry
from gpu_worker.engine.calls.arguments import Fit
from gpu_worker.engine.knees import Profile
from gpu_worker.memory.device import Peak
from gpu_worker.profiling.knee_file import KneeFile
from tests.gpu_worker.engine.fake_network import FakeNetwork

EIGHT = Profile(8, Peak(fixed_bytes=1000, row_bytes=20))


def a_fit(side: int) -> Fit:
    """As a process that just started would have it."""
    network = FakeNetwork()
    return (Entry("FakeNetwork", "forward", network, inspect.signature(network.forward)), (torch.float32, (side, side)))


def test_a_restarted_worker_finds_what_it_measured(tmp_path: Path) -> None:
    KneeFile(tmp_path / "knees", "minilab", "cpu").put(a_fit(16), EIGHT)

    after_restart = KneeFile(tmp_path / "knees", "minilab", "cpu")

    assert (after_restart.get(a_fit(16)), after_restart.get(a_fit(32))) == (EIGHT, None)


def test_models_do_not_share_knees(tmp_path: Path) -> None:
    KneeFile(tmp_path, "minilab", "cpu").put(a_fit(16), EIGHT)

    assert KneeFile(tmp_path, "sdxl", "cpu").get(a_fit(16)) is None


def test_a_model_that_was_tuned_otherwise_is_measured_again(tmp_path: Path) -> None:
    KneeFile(tmp_path, "sdxl", "cpu", tuning="compile=False").put(a_fit(16), EIGHT)

    assert KneeFile(tmp_path, "sdxl", "cpu", tuning="compile=True").get(a_fit(16)) is None


@pytest.mark.parametrize("content", ["[1, 2", '{"x": 8}', '{"x": [8]}', "[]"])
def test_a_damaged_file_costs_a_measurement_only(content: str, tmp_path: Path) -> None:
    KneeFile(tmp_path, "minilab", "cpu").put(a_fit(16), EIGHT)
    (file,) = tmp_path.iterdir()
    file.write_text(content, encoding="utf-8")

    knees = KneeFile(tmp_path, "minilab", "cpu")
    knees.put(a_fit(16), Profile(4))

    assert KneeFile(tmp_path, "minilab", "cpu").get(a_fit(16)) == Profile(4)


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "knees").write_text("not a folder", encoding="utf-8")
    knees = KneeFile(tmp_path / "knees", "minilab", "cpu")

    knees.put(a_fit(16), EIGHT)

    assert knees.get(a_fit(16)) == EIGHT
