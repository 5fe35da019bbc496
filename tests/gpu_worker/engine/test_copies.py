"""Copies of networks: the same weights, and nothing else in common."""

import inspect
import threading

import pytest
import torch

from gpu_worker.engine.call import Entry
from gpu_worker.engine.cores import NotCopied, Replicas, replica


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
