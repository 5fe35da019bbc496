"""Which errors are tried again elsewhere, and which will only come again."""

from collections.abc import Callable

import pytest
import torch

from darkroom.errors import GenerationFailed, JobTaken
from gpu_worker.jobs.second_try import tried_twice


def failing(*errors: Exception | None) -> Callable[[], str]:
    """Fails by each of these in turn, as a lane does it; None: it draws."""
    rest = iter(errors)

    def draw() -> str:
        error = next(rest)
        if error is None:
            return "image"
        try:
            raise error
        except Exception as cause:
            raise GenerationFailed("The model stopped.") from cause

    return draw


def failing_elsewhere() -> str:
    try:
        raise IndexError("22")
    except IndexError as cause:
        raise GenerationFailed("The model stopped.") from cause


def test_what_fails_twice_at_the_same_place_comes_again() -> None:
    with pytest.raises(GenerationFailed) as caught:
        tried_twice(failing(IndexError("22"), IndexError("22")))

    assert caught.value.comes_again


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(ValueError("22"), id="another type"),
        pytest.param(torch.AcceleratorError("CUDA error"), id="the device"),
    ],
)
def test_another_error_is_tried_elsewhere(again: Exception) -> None:
    with pytest.raises(GenerationFailed) as caught:
        tried_twice(failing(IndexError("22"), again))

    assert not caught.value.comes_again


def test_the_same_type_at_another_place_is_tried_elsewhere() -> None:
    draws = iter([failing(IndexError("22")), failing_elsewhere])

    def draw() -> str:
        return next(draws)()

    with pytest.raises(GenerationFailed) as caught:
        tried_twice(draw)

    assert not caught.value.comes_again


@pytest.mark.parametrize("error", [RuntimeError("cuDNN error: EXECUTION_FAILED"), OSError("disk"), MemoryError()])
def test_an_error_of_the_machine_is_tried_elsewhere_however_often_it_came(error: Exception) -> None:
    with pytest.raises(GenerationFailed) as caught:
        tried_twice(failing(error, error))

    assert not caught.value.comes_again


def test_what_was_of_the_moment_draws_the_second_time() -> None:
    assert tried_twice(failing(IndexError("22"), None)) == "image"


def test_a_cancel_ends_it_at_once() -> None:
    tries: list[str] = []

    def draw() -> str:
        tries.append("try")
        raise JobTaken("canceled")

    with pytest.raises(JobTaken):
        tried_twice(draw)

    assert tries == ["try"]
