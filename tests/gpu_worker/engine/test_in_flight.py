"""How far the engine runs ahead of the device."""

import pytest
import torch

from gpu_worker.engine.in_flight import InFlight


@pytest.mark.cuda
def test_a_device_is_busy_until_it_has_done_what_was_launched() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    in_flight = InFlight("cuda")
    assert in_flight.is_empty()
    square = torch.eye(8192, device="cuda")

    for _ in range(50):
        square = square @ square
    in_flight.launched()

    assert not in_flight.is_empty()
    torch.cuda.synchronize()
    assert in_flight.is_empty()


def test_on_a_cpu_nothing_is_ahead_of_the_engine() -> None:
    in_flight = InFlight("cpu")

    in_flight.launched()

    assert (in_flight.most, in_flight.is_empty()) == (0, True)
