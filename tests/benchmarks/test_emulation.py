import fcntl
import inspect
from pathlib import Path

import pytest
import torch

from benchmarks.emulation import CURVES, Curve, EmulatedDevice, slow_down

CURVE = Curve("steep", "sd", "UNet2DConditionModel", rows_an_image=2, step_s=1.0, gain=2.0, best=4, source="none")


class Hours:
    """Time that passes when somebody sleeps or computes, and only then."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def device(self, turn: Path, curve: Curve = CURVE) -> EmulatedDevice:
        return EmulatedDevice(curve, turn, lambda: self.now_s, self.sleep)


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_a_curve_gives_the_gain_that_it_is_named_for(curve: Curve) -> None:
    assert curve.seconds(1) == pytest.approx(curve.step_s)
    assert curve.best * curve.seconds(1) / curve.seconds(curve.best) == pytest.approx(curve.gain)
    assert 0.02 <= curve.step_s <= 0.15


def test_beyond_its_best_batch_a_device_makes_no_more_images_a_second() -> None:
    assert CURVE.seconds(8) == pytest.approx(2 * CURVE.seconds(4))


@pytest.mark.parametrize(("rows", "images"), [(1, 1), (2, 1), (4, 2), (8, 4)])
def test_a_forward_takes_as_long_as_the_curve_says(tmp_path: Path, rows: int, images: int) -> None:
    hours = Hours()

    result = hours.device(tmp_path / "turn").run(lambda: "noise", rows)

    assert result == "noise"
    assert hours.now_s - 100 == pytest.approx(CURVE.seconds(images))


def test_what_the_real_network_computes_is_within_that_time(tmp_path: Path) -> None:
    hours = Hours()

    hours.device(tmp_path / "turn").run(lambda: hours.sleep(0.7), rows=2)

    assert hours.now_s - 100 == pytest.approx(1.0)


def test_a_network_slower_than_the_curve_is_not_waited_for_further(tmp_path: Path) -> None:
    hours = Hours()

    hours.device(tmp_path / "turn").run(lambda: hours.sleep(3), rows=2)

    assert hours.now_s - 100 == pytest.approx(3)


def test_nobody_else_has_the_device_during_a_forward(tmp_path: Path) -> None:
    turn = tmp_path / "turn"

    def somebody_else() -> bool:
        with turn.open("ab") as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    assert not Hours().device(turn).run(somebody_else, rows=2)
    assert somebody_else()


def test_a_forward_that_fails_leaves_the_device_to_others(tmp_path: Path) -> None:
    device = Hours().device(tmp_path / "turn")

    with pytest.raises(ZeroDivisionError):
        device.run(lambda: 1 / 0, rows=2)

    assert device.run(lambda: "next", rows=2) == "next"


class Network(torch.nn.Module):
    def forward(self, sample: torch.Tensor, timestep: int = 0) -> torch.Tensor:
        return sample + timestep


def test_a_slowed_network_looks_and_computes_as_before(tmp_path: Path) -> None:
    network, plain = Network(), Network()

    slow_down(network, "small", tmp_path / "turn")

    assert inspect.signature(network.forward) == inspect.signature(plain.forward)
    assert network(sample=torch.ones(2), timestep=1).tolist() == network(torch.ones(2), 1).tolist() == [2.0, 2.0]
    assert (tmp_path / "turn").exists()
