"""Each word of a caption is one token, captions fit, and any text can be spelled."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from models.minilab.recipe.captions import caption, every_word, plural
from models.minilab.recipe.pictures import training_picture
from models.minilab.recipe.words import LONGEST, new_tokenizer

TOKENIZER: CLIPTokenizer = new_tokenizer()


def test_each_word_is_one_token() -> None:
    assert {word for word in every_word() if len(ids(word)) != 3} == set()


def test_every_word_of_a_caption_is_known() -> None:
    chance = random.Random(0)
    known = set(every_word())

    for _ in range(500):
        words = caption(training_picture(chance), chance).replace(",", "").split()
        # A word of nonsense may be among them, once.
        assert sum(word not in known for word in words) <= 1


def test_captions_fit_into_a_prompt() -> None:
    chance = random.Random(1)

    lengths = [len(ids(caption(training_picture(chance), chance))) for _ in range(500)]

    assert max(lengths) <= LONGEST


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_has_tokens(text: str) -> None:
    tokens = ids(text)

    assert tokens[0] == TOKENIZER.bos_token_id
    assert tokens[-1] == TOKENIZER.eos_token_id
    assert TOKENIZER.eos_token_id not in tokens[1:-1]


@pytest.mark.parametrize(
    ("noun", "more"),
    [("red box", "red boxes"), ("plus sign", "plus signs"), ("cross", "crosses"), ("rhombus", "rhombuses")],
)
def test_plurals(noun: str, more: str) -> None:
    assert plural(noun) == more


def ids(text: str) -> list[int]:
    tokens: list[int] = TOKENIZER(text)["input_ids"]
    return tokens
