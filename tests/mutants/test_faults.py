"""The faults that are put in: each kind in both languages, and none where code only looks like it."""

import random
from pathlib import Path

import pytest

from tests.mutants.__main__ import draw, exit_status
from tests.mutants.equivalent import equivalents
from tests.mutants.fault import Fault
from tests.mutants.lua_faults import lua_faults
from tests.mutants.python_faults import python_faults
from tests.mutants.targets import all_faults, concerning


def put_in(faults: list[Fault], text: str) -> dict[str, list[str]]:
    """By kind: the text with each fault in it."""
    kinds: dict[str, list[str]] = {}
    for fault in faults:
        kinds.setdefault(fault.kind, []).append(fault.put_into(text))
    return kinds


def test_python_is_given_each_kind() -> None:
    text = "if a < 10 and b:\n    go('é', (c))\n"

    assert put_in(python_faults("x.py", text), text) == {
        "condition negated": ["if (not (a < 10 and b)):\n    go('é', (c))\n"],
        "comparison turned": ["if a <= 10 and b:\n    go('é', (c))\n"],
        "constant mistaken": ["if a < 11 and b:\n    go('é', (c))\n"],
        "and/or swapped": ["if a < 10 or b:\n    go('é', (c))\n"],
        "call left out": ["if a < 10 and b:\n    pass\n"],
    }


@pytest.mark.parametrize(
    "text",
    [
        "MOST = 5\n",
        "def f(limit=100): ...\n",
        "d = {'timeout_s': 5}\n",
        "x = save(quality=80)\n",
        "log.info('a')\n",
        'x = f"{a == 1}"\n',
        "# a < b\n",
        "x = '<'\n",
    ],
)
def test_python_is_left_alone_where_a_fault_would_say_nothing(text: str) -> None:
    assert python_faults("x.py", text) == []


def test_lua_is_given_each_kind() -> None:
    text = "if a < 10 and b then redis.call('ZREM', f(x), id) end\n"

    assert put_in(lua_faults("x.lua", text), text) == {
        "condition negated": ["if not (a < 10 and b) then redis.call('ZREM', f(x), id) end\n"],
        "comparison turned": ["if a <= 10 and b then redis.call('ZREM', f(x), id) end\n"],
        "constant mistaken": ["if a < 11 and b then redis.call('ZREM', f(x), id) end\n"],
        "and/or swapped": ["if a < 10 or b then redis.call('ZREM', f(x), id) end\n"],
        "call left out": ["if a < 10 and b then  end\n"],
    }


def test_a_lua_call_goes_with_all_its_lines() -> None:
    text = "  redis.call('HSET', k, 'a', 'b',\n    'c', f(d))\nlocal x = g(y)\n"

    assert put_in(lua_faults("x.lua", text), text) == {"call left out": ["  \nlocal x = g(y)\n"]}


@pytest.mark.parametrize("text", ["-- if a < 1 then\n", "local MOST = 5\n", "x = 'a < 1 and %.9f'\n"])
def test_lua_is_left_alone_where_a_fault_would_say_nothing(text: str) -> None:
    assert lua_faults("x.lua", text) == []


def test_every_part_that_must_not_fail_has_faults_and_tests(repository: Path) -> None:
    faults = all_faults(repository)

    for fault in random.Random(1).sample(faults, 50):
        compile_or_lua = fault.put_into((repository / fault.path).read_text("utf-8"))
        if fault.path.endswith(".py"):
            compile(compile_or_lua, fault.path, "exec")
    assert {"comparison turned", "call left out", "constant mistaken"} <= {fault.kind for fault in faults}
    assert all((repository / name).exists() for fault in faults for name in concerning(fault.path))


def test_every_fault_that_is_listed_as_equivalent_is_still_there(repository: Path) -> None:
    faults = all_faults(repository)

    gone = [entry for entry in equivalents() if not any(entry.covers(fault) for fault in faults)]

    assert gone == []


def test_the_same_seed_draws_the_same_faults_and_another_others(repository: Path) -> None:
    faults = all_faults(repository)

    first, again, others = (draw(faults, 100, seed) for seed in (1, 1, 2))

    assert first == again
    assert len(set(first)) == 100
    assert len(set(first) & set(others)) < 50


def test_fewer_than_ninety_seven_of_a_hundred_are_too_few() -> None:
    assert [exit_status(noticed, 100) for noticed in (96, 97, 100)] == [1, 0, 0]
