"""Which calls fit together, and what the forward they share is given."""

import inspect
from typing import Any

import pytest
import torch

from gpu_worker.engine.calls.arguments import Arguments, NotBatchable, bind, flatten, join

Tensor = torch.Tensor


def unet(sample: Tensor, timestep: Any, encoder_hidden_states: Any = None, added: Any = None, scale: Any = 1.0) -> None:
    """A network's forward, for its names alone."""


def encoder(input_ids: Tensor, use_cache: bool | None = None, **options: Any) -> None: ...


def several(*samples: Tensor) -> None: ...


def nameless(sample: Tensor, /) -> None: ...


def taken(*args: Any, of: Any = unet, **kwargs: Any) -> Arguments:
    return flatten("Network", "forward", bind(inspect.signature(of), args, kwargs))


def fit(one: Arguments, other: Arguments) -> bool:
    return one.fit == other.fit


def sample(rows: int = 1, side: int = 4, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.arange(rows * side, dtype=dtype).reshape(rows, side)


class TestWhatFits:
    def test_row_counts_and_the_way_arguments_are_passed_do_not_matter(self) -> None:
        assert fit(taken(sample(1), torch.tensor(5)), taken(timestep=torch.tensor([7, 7]), sample=sample(2)))

    def test_whole_and_broken_timesteps_fit(self) -> None:
        assert fit(taken(sample(), torch.tensor(5)), taken(sample(), torch.tensor(5.5)))

    @pytest.mark.parametrize(
        "other",
        [
            taken(sample(side=8), torch.tensor(5)),
            taken(sample(dtype=torch.float64), torch.tensor(5)),
            taken(sample(), torch.tensor(5), encoder_hidden_states=sample()),
            taken(sample(), torch.tensor(5), added={"text": sample()}),
            taken(sample(), torch.tensor(5), scale=2.0),
            taken(sample(), torch.tensor(5), scale=1),
            taken(sample(), torch.tensor(5), scale=torch.arange(3.0)),
        ],
    )
    def test_other_shapes_types_trees_and_values_do_not(self, other: Arguments) -> None:
        assert not fit(taken(sample(), torch.tensor(5)), other)

    def test_what_cannot_be_compared_fits_itself_only(self) -> None:
        one, other = slice(1), slice(1)

        assert fit(taken(sample(), 1, scale=one), taken(sample(), 1, scale=one))
        assert not fit(taken(sample(), 1, scale=one), taken(sample(), 1, scale=other))

    def test_a_tensor_without_rows_must_be_equal(self) -> None:
        def with_shared(values: list[float]) -> Arguments:
            return taken(sample(2), torch.tensor(5), scale=torch.tensor(values))

        assert fit(with_shared([1.0, 2.0, 3.0]), with_shared([1.0, 2.0, 3.0]))
        assert not fit(with_shared([1.0, 2.0, 3.0]), with_shared([1.0, 2.0, 4.0]))

    def test_a_shared_tensor_that_was_written_into_is_looked_at_again(self) -> None:
        shared = torch.tensor([1.0, 2.0, 3.0])
        before = taken(sample(2), torch.tensor(5), scale=shared)

        shared += 1

        assert not fit(before, taken(sample(2), torch.tensor(5), scale=shared))

    @pytest.mark.parametrize("dimensions", [2, 3])
    def test_places_of_tokens_must_be_equal_with_a_batch_dimension_or_without(self, dimensions: int) -> None:
        def at(*places: int) -> Arguments:
            ids = torch.tensor([[place, 0] for place in places])
            return flatten(
                "Flux", "forward", {"hidden": sample(2), "img_ids": ids if dimensions == 2 else ids.repeat(2, 1, 1)}
            )

        assert fit(at(0, 1), at(0, 1))
        assert not fit(at(0, 1), at(0, 2))

    def test_sizes_in_a_list_must_be_equal_whatever_their_number(self) -> None:
        def sized(*shapes: tuple[int, int, int]) -> Arguments:
            return flatten(
                "Qwen", "forward", {"hidden": sample(len(shapes)), "img_shapes": [[each] for each in shapes]}
            )

        assert fit(sized((1, 2, 4)), sized((1, 2, 4), (1, 2, 4)))
        assert not fit(sized((1, 2, 4)), sized((1, 4, 2)))

    def test_an_autoencoders_generator_keeps_nobody_apart(self) -> None:
        one, other = ({"z": sample(), "generator": torch.Generator()} for _ in range(2))

        assert fit(flatten("AutoencoderKL", "decode", one), flatten("AutoencoderKL", "decode", other))
        assert not fit(flatten("Unheard", "decode", one), flatten("Unheard", "decode", other))


class TestWhatIsJoined:
    def test_rows_follow_each_other_and_one_value_holds_for_all_rows_of_its_call(self) -> None:
        calls = [
            taken(sample(2), torch.tensor(5), encoder_hidden_states=torch.ones(1, 3)),
            taken(sample(1) + 100, torch.tensor([2.5]), encoder_hidden_states=torch.zeros(1, 3)),
        ]

        joined = join(calls)

        assert joined["sample"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [100, 101, 102, 103]]
        assert joined["timestep"].tolist() == [5, 5, 2.5]
        assert joined["encoder_hidden_states"][:, 0].tolist() == [1, 1, 0]

    def test_nested_tensors_come_along(self) -> None:
        calls = [taken(sample(), 1, added={"text": torch.full((1, 2), value), "all": [sample()]}) for value in (1, 2)]

        joined = join(calls)

        assert joined["added"]["text"].tolist() == [[1, 1], [2, 2]]
        assert joined["added"]["all"][0].shape == (2, 4)

    def test_padding_repeats_the_last_row(self) -> None:
        calls = [taken(torch.tensor([[1.0]]), torch.tensor(1)), taken(torch.tensor([[2.0]]), torch.tensor(2))]

        joined = join(calls, pad_to=4)

        assert joined["sample"].flatten().tolist() == [1, 2, 2, 2]
        assert joined["timestep"].tolist() == [1, 2, 2, 2]

    def test_lists_of_samples_are_joined_and_padded_as_lists(self) -> None:
        calls = [
            flatten("ZImage", "forward", {"x": [sample()] * 2, "cap_feats": [sample(rows)] * 2}) for rows in (1, 3)
        ]

        joined = join(calls, pad_to=5)

        assert [len(entry) for entry in joined["cap_feats"]] == [1, 1, 3, 3, 3]
        assert len(joined["x"]) == 5

    def test_prompts_of_different_lengths_are_padded_and_masked(self) -> None:
        joined = join([prompt(2), prompt(3)])

        assert joined["encoder_hidden_states"].tolist() == [[[1], [1], [0]], [[1], [1], [1]]]
        assert joined["encoder_hidden_states_mask"].tolist() == [[True, True, False], [True, True, True]]

    def test_prompts_of_one_length_need_no_mask(self) -> None:
        assert join([prompt(3), prompt(3)])["encoder_hidden_states_mask"] is None

    def test_a_mask_that_is_there_is_kept(self) -> None:
        joined = join([prompt(3, mask=torch.tensor([[1, 0, 1]])), prompt(3)])

        assert joined["encoder_hidden_states_mask"].tolist() == [[True, False, True], [True, True, True]]

    def test_a_language_model_is_asked_for_no_cache(self) -> None:
        assert join([taken(sample(), of=encoder)])["use_cache"] is False
        assert join([taken(sample(), of=encoder, use_cache=True)])["use_cache"] is True

    def test_further_keyword_arguments_keep_their_names(self) -> None:
        assert join([taken(sample(), of=encoder, output_hidden_states=True)])["output_hidden_states"] is True


@pytest.mark.parametrize("call", [lambda: taken(sample(), of=several), lambda: taken(sample(), of=nameless)])
def test_arguments_without_names_are_not_batched(call: Any) -> None:
    with pytest.raises(NotBatchable):
        call()


def test_a_call_without_any_rows_is_not_batched() -> None:
    with pytest.raises(NotBatchable):
        taken(1, 2)


def test_a_call_that_the_network_would_refuse_is_refused_the_same_way() -> None:
    with pytest.raises(TypeError):
        taken(sample(), unknown=1)


def prompt(length: int, mask: Tensor | None = None) -> Arguments:
    return flatten(
        "QwenImageTransformer2DModel",
        "forward",
        {
            "hidden_states": sample(),
            "encoder_hidden_states": torch.ones(1, length, 1),
            "encoder_hidden_states_mask": mask,
        },
    )
