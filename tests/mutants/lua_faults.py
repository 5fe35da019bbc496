"""The faults that a Lua script of the job store can be given, found by its words."""

import re
from collections.abc import Iterator

from tests.mutants.fault import SWAPPED, TURNED, Fault, line_at, mistaken

HIDDEN = re.compile(r"--[^\n]*|'[^'\n]*'")
COMPARISON = re.compile(r"==|~=|<=|>=|<|>")
CONDITION = re.compile(r"\b(?:if|elseif|while)\b(.+?)\b(?:then|do)\b", re.DOTALL)
# A call whose answer nobody takes: on a line of its own, or between `then` and `end`.
CALL = re.compile(r"(?:^[ ]*|\bthen |\belse )(?P<call>[a-z_][\w.]*\()", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
# A named number is a choice: a test that repeats it would only say it twice.
NAMED_NUMBER = re.compile(r"^local [A-Z_]+ = .*$", re.MULTILINE)

Change = tuple[str, int, int, str]


def lua_faults(path: str, text: str) -> list[Fault]:
    code = NAMED_NUMBER.sub(_blank, HIDDEN.sub(_blank, text))
    return sorted(
        Fault(path, start, end, kind, *line_at(text, start), text[start:end], after)
        for kind, start, end, after in {*_calls(code), *_operators(code), *_conditions(code, text), *_numbers(code)}
    )


def _calls(code: str) -> Iterator[Change]:
    for match in CALL.finditer(code):
        start, end = match.start("call"), _closing(code, match.end("call"))
        if code[start:].startswith(("unpack(", "function(")) or code[end : end + 1] in {".", "["}:
            continue
        yield "call left out", start, end, ""


def _operators(code: str) -> Iterator[Change]:
    lua = {"~=": "=="} | {before: after.replace("!=", "~=") for before, after in TURNED.items()}
    for match in COMPARISON.finditer(code):
        yield "comparison turned", *match.span(), lua[match[0]]
    for match in re.finditer(r"\b(?:and|or)\b", code):
        yield "and/or swapped", *match.span(), SWAPPED[match[0]]


def _conditions(code: str, text: str) -> Iterator[Change]:
    for match in CONDITION.finditer(code):
        start, end = match.span(1)
        yield "condition negated", start, end, f" not ({text[start:end].strip()}) "


def _numbers(code: str) -> Iterator[Change]:
    for match in NUMBER.finditer(code):
        yield "constant mistaken", *match.span(), str(mistaken(int(match[0])))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _closing(code: str, after_bracket: int) -> int:
    """Just behind the bracket that closes the one before `after_bracket`."""
    depth = 1
    for at, letter in enumerate(code[after_bracket:], after_bracket):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if not depth:
            return at + 1
    raise ValueError("a bracket that nothing closes")
