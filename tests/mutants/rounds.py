"""Runs the tests of many faults, as many at a time as there are sandboxes."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import pytest

from tests.mutants.fault import Fault
from tests.mutants.sandbox import Sandbox
from tests.mutants.targets import Tests, concerning, whole_set

Work = TypeVar("Work")
# Of tests that pass as things are. Beyond this many times their own time, a fault has stopped them: it is noticed.
PATIENCE, LEAST_S = 3, 60.0
BASELINE_LIMIT_S = 600.0
BETWEEN_LOOKS_S = 0.05


class TestsFail(Exception):
    """Without any fault. Nothing could be learnt."""

    __test__ = False


def baselines(faults: Iterable[Fault], sandboxes: Sequence[Sandbox]) -> Mapping[Tests, float]:
    """How long the tests of each fault may take. Raises TestsFail."""
    limits_s: dict[Tests, float] = {}

    def begin(sandbox: Sandbox, tests: Tests) -> None:
        sandbox.start(None, tests, BASELINE_LIMIT_S)

    def end(sandbox: Sandbox, tests: Tests, status: int) -> None:
        if status != pytest.ExitCode.OK:
            raise TestsFail(f"{' '.join(tests)} (exit status {status}): {sandbox.failed_test()}")
        limits_s[tests] = max(LEAST_S, PATIENCE * (time.monotonic() - sandbox.began_s))
        print(f"passes   {' '.join(tests)} in {time.monotonic() - sandbox.began_s:.0f} s", flush=True)

    _each(sorted({whole_set(fault.path) for fault in faults}), sandboxes, begin, end)
    return limits_s


def notice(faults: Sequence[Fault], sandboxes: Sequence[Sandbox], limits_s: Mapping[Tests, float]) -> list[Fault]:
    """Those that no test noticed."""
    survived: list[Fault] = []

    def begin(sandbox: Sandbox, fault: Fault) -> None:
        sandbox.start(fault, concerning(fault.path), limits_s[whole_set(fault.path)])

    def end(sandbox: Sandbox, fault: Fault, status: int) -> None:
        if status == pytest.ExitCode.OK:
            survived.append(fault)
            print(f"SURVIVED {fault}", flush=True)
        elif status < 0:
            print(f"stuck    {fault}", flush=True)
        else:
            print(f"noticed  {fault}, by {sandbox.failed_test()}", flush=True)

    _each(faults, sandboxes, begin, end)
    return survived


def _each(
    works: Sequence[Work],
    sandboxes: Sequence[Sandbox],
    begin: Callable[[Sandbox, Work], None],
    end: Callable[[Sandbox, Work, int], None],
) -> None:
    waiting, running = list(works), dict[Sandbox, Work]()
    while waiting or running:
        for sandbox in sandboxes:
            if sandbox in running and (status := sandbox.ended()) is not None:
                end(sandbox, running.pop(sandbox), status)
            if sandbox not in running and waiting:
                running[sandbox] = waiting.pop(0)
                begin(sandbox, running[sandbox])
        time.sleep(BETWEEN_LOOKS_S)
