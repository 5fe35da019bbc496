"""How cores are divided, and the copies of networks that forwards at once run: the same weights, nothing else."""

import inspect
import threading

import pytest
import torch

from gpu_worker.engine.call import Entry
from gpu_worker.engine.cores import Division, NotCopied, Replicas, divide, replica


@pytest.mark.parametrize(
    ("seconds", "division"),
    [
        pytest.param({2: 0.039, 1: 0.019}, Division(1, 2), id="two threads only wait for each other"),
        pytest.param({8: 1.0, 4: 1.9}, Division(8, 1), id="a large network wants them all"),
        pytest.param({8: 1.0, 4: 1.0, 2: 1.05, 1: 2.0}, Division(2, 4), id="hardly slower is no slower"),
        pytest.param({8: 1.0, 4: 0.5, 2: 0.7}, Division(4, 2), id="best in the middle"),
        pytest.param({8: 1.0, 4: 0.94, 2: 1.02, 1: 1.06}, Division(2, 4), id="against the best, not against all cores"),
        pytest.param({6: 1.0, 3: 0.5, 1: 0.4}, Division(1, 4), id="cores that no halving divides"),
        pytest.param({8: 1.0, 4: 0.9, 2: 0.9, 1: 0.85}, Division(2, 4), id="no more forwards than Python can start"),
        pytest.param(
            {16: 1.0, 8: 0.8, 4: 0.6, 2: 0.4, 1: 0.3}, Division(1, 4), id="idle cores rather than a slower job"
        ),
        pytest.param({1: 1.0}, Division(1, 1), id="a single core"),
    ],
)
def test_a_lone_job_gets_no_slower_and_others_run_beside_it(seconds: dict[int, float], division: Division) -> None:
    assert divide(seconds.__getitem__, max(seconds)) == division


class Forgetful(torch.nn.Module):
    """Keeps of a call what the next line needs, as causal video autoencoders do."""

    calls: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)
        self.register_buffer("calls", torch.zeros(1))
        self.kept: torch.Tensor | None = None

    def forward(self, sample: torch.Tensor) -> torch.Tensor:
        return self.decode(sample)

    def decode(self, sample: torch.Tensor) -> torch.Tensor:
        self.kept = sample
        self.calls += 1
        return torch.as_tensor(self.linear(self.kept))


@pytest.fixture
def network() -> Forgetful:
    return Forgetful()


def entry_of(network: torch.nn.Module, name: str) -> Entry:
    run = network if name == "forward" else getattr(network, name)
    return Entry(type(network).__name__, name, run, inspect.signature(getattr(network, name)))


def test_it_has_the_same_parameters(network: Forgetful) -> None:
    copied = replica(network)

    ours, theirs = list(network.parameters()), list(copied.parameters())
    assert len(ours) == len(theirs) == 2
    assert all(one is other for one, other in zip(ours, theirs, strict=True))


def test_it_keeps_what_it_keeps_to_itself(network: Forgetful) -> None:
    copied = replica(network)

    copied(torch.ones(1, 1))

    assert network.kept is None
    assert float(network.calls) == 0


def test_a_thread_s_ways_into_one_network_lead_into_one_copy(network: Forgetful) -> None:
    replicas = Replicas()
    forward, decode = entry_of(network, "forward"), entry_of(network, "decode")
    replicas.add(forward)
    replicas.add(decode)

    assert replicas.holds(decode)
    replicas.run_of(decode)(torch.ones(1, 1))

    copied = replicas.run_of(forward)
    assert isinstance(copied, Forgetful)
    assert copied is not network
    assert float(copied.calls) == 1


def test_a_network_with_hooks_of_accelerate_is_not_copied(network: Forgetful) -> None:
    object.__setattr__(network.linear, "_hf_hook", object())

    with pytest.raises(NotCopied, match="hooks"):
        replica(network)


def test_a_network_that_holds_what_cannot_be_copied_is_not_either(network: Forgetful) -> None:
    object.__setattr__(network, "lock", threading.Lock())

    with pytest.raises(NotCopied, match="TypeError"):
        replica(network)


def test_only_networks_are_copied() -> None:
    with pytest.raises(NotCopied, match="method"):
        Replicas().add(Entry("engine", "do", print, inspect.signature(lambda: None)))
