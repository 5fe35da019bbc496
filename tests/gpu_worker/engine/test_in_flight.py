"""How far the engine runs ahead of the device."""

import threading

import pytest
import torch

from gpu_worker.engine.runner import InFlight
from tests.gpu_worker.engine.engine_bench import engine_bench
from tests.gpu_worker.engine.fake_lanes import drawn
from tests.gpu_worker.engine.fake_network import PATIENCE_S


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


class BusyDevice(InFlight):
    def __init__(self) -> None:
        super().__init__("cpu")
        self.is_waited_for, self.is_free = threading.Event(), threading.Event()

    def throttle(self) -> None:
        self.is_waited_for.set()
        assert self.is_free.wait(PATIENCE_S)


def test_an_urgent_call_that_comes_while_the_device_is_busy_is_in_the_very_next_forward() -> None:
    device = BusyDevice()
    with engine_bench(in_flight=device) as bench:
        bulk, urgent = bench.lane(priority=1), bench.lane(priority=0)
        futures = [bulk.call(1.0)]
        assert device.is_waited_for.wait(PATIENCE_S)
        futures.append(urgent.call(2.0))

        device.is_free.set()

        assert [drawn(future) for future in futures] == [[2.0], [4.0]]
        assert bench.network.samples == [2.0, 1.0]
