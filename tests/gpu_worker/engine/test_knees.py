"""How many rows a forward is worth."""

from collections.abc import Callable

import pytest
import torch

from gpu_worker.engine.calls.arguments import Fit
from gpu_worker.engine.knees import CLEAN_FORWARDS, Knees, Profile, find_knee
from gpu_worker.memory.device import Peak

SQUARE, WIDE = ("square",), ("wide",)


@pytest.mark.parametrize(
    ("seconds", "most", "knee"),
    [
        pytest.param(lambda rows: 1.0, 8, 8, id="a device that is hardly busy: as many as allowed"),
        pytest.param(float, 8, 1, id="no gain at all: one"),
        pytest.param(lambda rows: max(4.0, rows), 64, 4, id="free up to four"),
        pytest.param(
            {1: 1.0, 2: 2.4, 4: 2.0, 8: 4.0, 16: 9.0}.__getitem__, 16, 4, id="one slow measurement ends nothing"
        ),
        pytest.param({1: 1.0, 2: 1.0, 4: 8.0, 8: 0.1}.__getitem__, 8, 2, id="a rate that fell ends the search"),
        pytest.param({1: 1.0, 2: 1.2, 4: None}.get, 8, 2, id="no going on, for want of memory"),
        pytest.param(lambda rows: 1.0, 7, 4, id="never beyond what is allowed"),
        pytest.param(lambda rows: 1.0, 1, 1, id="one is all that is allowed"),
    ],
)
def test_the_knee_of_a_throughput_curve(seconds: Callable[[int], float | None], most: int, knee: int) -> None:
    assert find_knee(seconds, most) == knee


def test_a_shape_has_the_default_until_its_own_is_measured() -> None:
    knees = Knees(default_rows=8)

    knees.measured(WIDE, Profile(3))

    assert (knees.of(SQUARE), knees.of(WIDE)) == (8, 3)


def test_a_forward_that_did_not_fit_lowers_the_cap_of_its_shape_and_never_raises_it() -> None:
    knees = Knees(default_rows=64)

    knees.lower(WIDE, below=6)
    knees.lower(WIDE, below=40)

    assert (knees.of(WIDE), knees.of(SQUARE)) == (3, 64)


def shape(pixels: int, network: str = "unet") -> Fit:
    """As arguments say it: the network, names, and a sample before what does not grow with the image."""
    return network, ("sample", "prompt"), (torch.float32, "cpu", (4, pixels), None), (torch.float32, "cpu", (77,), None)


def test_a_shape_that_was_not_measured_is_told_from_the_nearest_by_its_pixels() -> None:
    knees = Knees(default_rows=8)
    knees.measured(shape(100), Profile(16, Peak(1000, 50)))
    knees.measured(shape(1000), Profile(4, Peak(1000, 500)))

    assert (knees.of(shape(2000)), knees.peak(shape(2000))) == (2, Peak(2000, 1000))
    assert (knees.of(shape(50)), knees.peak(shape(50))) == (32, Peak(1000, 25))
    assert knees.of(shape(10_000)) == 1


def test_nothing_is_told_from_another_network() -> None:
    knees = Knees(default_rows=8)
    knees.measured(shape(100), Profile(16, Peak(0, 50)))

    assert (knees.of(shape(200, "vae")), knees.peak(shape(200, "vae"))) == (8, Peak())


def test_what_is_measured_later_counts_at_once() -> None:
    knees = Knees(default_rows=8)
    assert knees.of(shape(200)) == 8

    knees.measured(shape(100), Profile(8))

    assert knees.of(shape(200)) == 4


def test_a_knee_that_was_lowered_rises_again_as_forwards_go_well() -> None:
    knees = Knees(default_rows=8)
    knees.measured(WIDE, Profile(16))
    knees.lower(WIDE, below=8)

    seen = [knees.of(WIDE)]
    for _ in range(3):
        for _ in range(CLEAN_FORWARDS - 1):
            knees.went_well(WIDE)
        seen.append(knees.of(WIDE))
        knees.went_well(WIDE)
        seen.append(knees.of(WIDE))

    assert seen == [4, 4, 8, 8, 16, 16, 16], "never beyond what was measured"


def test_a_further_failure_begins_the_count_anew() -> None:
    knees = Knees(default_rows=8)
    knees.lower(WIDE, below=8)
    for _ in range(CLEAN_FORWARDS - 1):
        knees.went_well(WIDE)

    knees.lower(WIDE, below=4)
    knees.went_well(WIDE)

    assert knees.of(WIDE) == 2


def test_a_cap_is_one_row_at_least() -> None:
    knees = Knees(default_rows=64)

    knees.lower(WIDE, below=1)

    assert knees.of(WIDE) == 1


@pytest.mark.parametrize(("rows", "padded"), [(1, 2), (2, 2), (3, 8), (8, 8), (9, 9)])
def test_batches_are_padded_to_the_next_size_that_is_compiled(rows: int, padded: int) -> None:
    assert Knees(default_rows=8, sizes=(2, 8)).padded(SQUARE, rows) == padded


def test_padding_stops_where_memory_does() -> None:
    knees = Knees(default_rows=8, sizes=(2, 8))
    knees.lower(SQUARE, below=8)

    assert knees.padded(SQUARE, 3) == 3


def test_only_shapes_that_were_compiled_are_padded() -> None:
    knees = Knees(default_rows=8)

    knees.measured(WIDE, Profile(8), sizes=(2, 4, 8))

    assert [knees.padded(WIDE, 3), knees.padded(SQUARE, 3)] == [4, 3]
    assert [knees.is_compiled(WIDE), knees.is_compiled(SQUARE)] == [True, False]
