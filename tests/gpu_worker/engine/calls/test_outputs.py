"""Each call gets its own rows back, in the form in which the network gives them."""

from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput, Transformer2DModelOutput
from transformers.modeling_outputs import BaseModelOutputWithPooling

from gpu_worker.engine.calls.arguments import NotBatchable
from gpu_worker.engine.calls.outputs import split


def rows(count: int) -> torch.Tensor:
    return torch.arange(count * 2.0).reshape(count, 2)


def test_a_tuple_is_split_by_rows_and_padding_dropped() -> None:
    parts = split((rows(4),), [1, 2], computed=4)

    assert [part[0].tolist() for part in parts] == [[[0, 1]], [[2, 3], [4, 5]]]


def test_outputs_of_diffusers_keep_their_class() -> None:
    one, other = split(Transformer2DModelOutput(sample=rows(2)), [1, 1], computed=2)

    assert type(one) is Transformer2DModelOutput
    assert other.sample.tolist() == [[2, 3]]


def test_outputs_of_transformers_keep_their_class_and_every_layer() -> None:
    output = BaseModelOutputWithPooling(last_hidden_state=rows(2), pooler_output=rows(2), hidden_states=(rows(2),) * 3)

    _, other = split(output, [1, 1], computed=2)

    assert type(other) is BaseModelOutputWithPooling
    assert [layer.tolist() for layer in other.hidden_states or ()] == [[[2, 3]]] * 3
    assert other.attentions is None


@pytest.mark.parametrize("deterministic", [False, True])
def test_an_encoders_distribution_is_split_too(deterministic: bool) -> None:
    distribution = DiagonalGaussianDistribution(torch.randn(2, 8, 1, 1), deterministic)

    _, other = split(AutoencoderKLOutput(latent_dist=distribution), [1, 1], computed=2)

    assert torch.equal(other.latent_dist.mode(), distribution.mode()[1:])
    assert torch.equal(other.latent_dist.std, distribution.std[1:])


def test_a_list_of_samples_is_split_where_samples_came_as_lists() -> None:
    images = [torch.tensor(float(number)) for number in range(3)]

    one, other = split((images,), [1, 1], computed=3, has_lists=True)

    assert (one, other) == (([images[0]],), ([images[1]],))


def test_a_list_of_residuals_is_split_by_rows_even_if_there_are_as_many_as_rows() -> None:
    one, other = split(([rows(2), rows(2)],), [1, 1], computed=2)

    assert [residual.tolist() for residual in one[0]] == [[[0, 1]]] * 2
    assert [residual.tolist() for residual in other[0]] == [[[2, 3]]] * 2


def test_a_list_of_flags_is_split_by_rows_as_a_safety_checker_gives_it() -> None:
    one, other = split((rows(3), [False, True, False]), [1, 2], computed=3)

    assert (one[1], other[1]) == ([False], [True, False])


def test_nested_residuals_are_no_entries_of_rows() -> None:
    one, _ = split([[rows(2), rows(2), rows(2)]] * 2, [1, 1], computed=2)

    assert [[residual.tolist() for residual in level] for level in one] == [[[[0, 1]]] * 3] * 2


@pytest.mark.parametrize("entries", [["a", "b"], [0.5, 0.25], [{"score": 1}, {"score": 2}], [(1, 2), (3, 4)]])
def test_entries_of_any_type_go_to_their_own_rows_at_any_depth(entries: list[Any]) -> None:
    one, other = split({"checks": ({"found": entries},)}, [1, 1], computed=2)

    assert one == {"checks": ({"found": entries[:1]},)}
    assert other == {"checks": ({"found": entries[1:]},)}


def test_flags_of_padding_are_dropped() -> None:
    assert split([True, False, False, True], [1, 1], computed=4) == [[True], [False]]


def test_arrays_are_split_as_tensors_are() -> None:
    one, other = split((np.array([True, False]),), [1, 1], computed=2)

    assert (one[0].tolist(), other[0].tolist()) == ([True], [False])


@pytest.mark.parametrize(
    "leaf",
    [
        object(),
        torch.tensor(1.0),
        rows(5),
        pytest.param(True, id="a flag for all"),
        pytest.param(0.5, id="a number for all"),
        pytest.param([True, False, True], id="a list with more entries than rows"),
        pytest.param((True, False), id="a tuple, which may be two results or two rows"),
        pytest.param([[1, 2], [3, 4]], id="a list of lists, either of which may be the rows"),
    ],
)
def test_what_has_no_rows_cannot_be_split(leaf: Any) -> None:
    with pytest.raises(NotBatchable):
        split((rows(2), leaf), [1, 1], computed=2)
