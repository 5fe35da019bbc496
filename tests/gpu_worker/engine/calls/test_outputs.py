"""Each call gets its own rows back, in the form in which the network gives them."""

from typing import Any

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


@pytest.mark.parametrize("leaf", [object(), torch.tensor(1.0), rows(5)])
def test_what_has_no_rows_cannot_be_split(leaf: Any) -> None:
    with pytest.raises(NotBatchable):
        split((rows(2), leaf), [1, 1], computed=2)
