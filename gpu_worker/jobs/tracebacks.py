"""What the log may say of an exception: a library's message can quote the prompt, and a prompt is never logged."""

import traceback

from darkroom.request import ImageRequest


def without_prompts(error: BaseException, request: ImageRequest) -> str:
    """The whole traceback; only its frames and types where it quotes the request."""
    whole = "".join(traceback.format_exception(error))
    words = [text for text in (request.prompt, request.negative_prompt) if text]
    # A message may show them as Python would write them.
    if any(text in whole or repr(text)[1:-1] in whole for text in words):
        frames = "".join(traceback.format_tb(error.__traceback__))
        return f"{frames}{type(error).__name__}: (not shown: it quotes the prompt)"
    return whole
