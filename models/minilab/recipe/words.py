"""Makes minilab's tokenizer: each word of the captions is one token, and any other text is spelled in bytes."""

import itertools
from typing import Any

from transformers import CLIPTokenizer

from models.minilab.recipe.captions import every_word

LONGEST = 32
START, END = "<|startoftext|>", "<|endoftext|>"
END_OF_WORD = "</w>"


def new_tokenizer() -> CLIPTokenizer:
    vocabulary, merges = spelling(every_word())
    special: dict[str, Any] = dict.fromkeys(("unk_token", "eos_token", "pad_token"), END) | {"bos_token": START}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LONGEST, **special)  # type: ignore[arg-type]


def spelling(words: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The tokens, and the merges that lead to them, of byte-pair encoding."""
    symbols = sorted(_byte_symbols())
    tokens = [*symbols, *(symbol + END_OF_WORD for symbol in symbols)]
    merges: list[tuple[str, str]] = []
    for word in words:
        pieces = _merged([*word[:-1], word[-1] + END_OF_WORD], merges)
        while len(pieces) > 1:
            # Later merges come later in every word, so that they leave those before them as they are.
            merges.append((pieces[0], pieces[1]))
            tokens.append(pieces[0] + pieces[1])
            pieces = [pieces[0] + pieces[1], *pieces[2:]]
    return {token: index for index, token in enumerate([*dict.fromkeys(tokens), START, END])}, merges


def _merged(pieces: list[str], merges: list[tuple[str, str]]) -> list[str]:
    rank = {pair: index for index, pair in enumerate(merges)}
    while True:
        pairs = [pair for pair in itertools.pairwise(pieces) if pair in rank]
        if not pairs:
            return pieces
        first = min(pairs, key=rank.__getitem__)
        pieces = _joined(pieces, first)


def _joined(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    for piece in pieces:
        if joined and (joined[-1], piece) == pair:
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _byte_symbols() -> list[str]:
    """GPT-2's: a printable character for each byte (Radford et al. 2019)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]
