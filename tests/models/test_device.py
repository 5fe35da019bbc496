import pytest

from darkroom.errors import Misconfigured
from models.device import Device, Hardware, choose_device, this_machine
from tests.models.tiny import pipelines as tiny

NOTHING = Hardware(cuda_devices=0, has_mps=False)
APPLE = Hardware(cuda_devices=0, has_mps=True)
TWO_GPUS = Hardware(cuda_devices=2, has_mps=False)


@pytest.mark.parametrize(("hardware", "name"), [(NOTHING, "cpu"), (APPLE, "mps"), (TWO_GPUS, "cuda:0")])
def test_auto_takes_the_best_there_is(hardware: Hardware, name: str) -> None:
    assert choose_device("auto", hardware) == Device(name)


@pytest.mark.parametrize(("setting", "name"), [("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")])
def test_a_device_can_be_named(setting: str, name: str) -> None:
    assert choose_device(setting, TWO_GPUS) == Device(name)


@pytest.mark.parametrize(
    ("setting", "hardware", "complaint"),
    [
        ("cuda", NOTHING, "no CUDA device"),
        ("cuda:2", TWO_GPUS, r"sees 2 CUDA device\(s\)"),
        ("mps", NOTHING, "no Apple GPU"),
    ],
)
def test_a_device_that_is_not_there_is_refused(setting: str, hardware: Hardware, complaint: str) -> None:
    with pytest.raises(Misconfigured, match=complaint):
        choose_device(setting, hardware)


def test_this_machine_has_the_device_that_auto_chooses() -> None:
    import torch

    device = choose_device("auto", this_machine())

    assert torch.ones(1, device=device.name).item() == 1


def test_the_card_decides_the_number_format_on_a_gpu_and_the_cpu_for_itself() -> None:
    import torch

    card = tiny.card("flux", dtype="bfloat16")

    assert Device("cuda:0").dtype_of(card) == torch.bfloat16
    assert Device("cpu").dtype_of(card) == torch.float32
