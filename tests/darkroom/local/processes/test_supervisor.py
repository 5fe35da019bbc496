"""The supervisor, with real processes."""

import os
from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread

import pytest

from darkroom.errors import StackFailed
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.part import Part
from darkroom.local.processes.restart import RestartPolicy
from darkroom.local.processes.supervisor import StopAsked, Supervisor
from tests.darkroom.local.conftest import shell_part
from tests.darkroom.local.lifeline import Lifeline

STAYS = 'trap "echo bye; exit 0" TERM; echo up; sleep 600 & wait'
# Not `sleep`: an ignored signal stays ignored in what a shell starts, and the group must die all the same.
IGNORES_SIGTERM = 'trap "" TERM; echo up; while :; do sleep 600; done'


class Lines:
    """What the parts said, in order; waits for a line without polling."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self._news: SimpleQueue[tuple[str, str]] = SimpleQueue()

    def hear(self, name: str, line: str) -> None:
        self.said.append((name, line))
        self._news.put((name, line))

    def wait_for(self, line: str, times: int = 1) -> None:
        while times:
            times -= self._news.get(timeout=20)[1] == line


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def supervisor(lines: Lines) -> Iterator[Supervisor]:
    with Supervisor(Guard(), lines.hear, grace_s=20) as supervisor:
        yield supervisor


def test_work_beside_running_parts_gives_its_result(supervisor: Supervisor) -> None:
    supervisor.start(shell_part("api", STAYS))

    assert supervisor.beside(lambda: 42) == 42


def test_an_error_in_the_work_comes_out(supervisor: Supervisor) -> None:
    with pytest.raises(ZeroDivisionError):
        supervisor.beside(lambda: 1 // 0)


def test_a_part_that_exits_while_others_wait_for_it_is_named_with_its_last_lines(
    supervisor: Supervisor, lines: Lines
) -> None:
    supervisor.start(shell_part("api", STAYS))
    supervisor.start(shell_part("gpu", "echo no weights here >&2; exit 3"))

    with pytest.raises(StackFailed, match=r"gpu exited with code 3.*\n  gpu \| no weights here"):
        supervisor.beside(lambda: lines.wait_for("never said"))


def test_a_command_that_does_not_exist_is_a_part_that_exits(supervisor: Supervisor, lines: Lines) -> None:
    supervisor.start(Part("gpu", ("/nowhere/celery",), os.environ))

    with pytest.raises(StackFailed, match=r"gpu exited with code 127.*\n.*/nowhere/celery.*not found"):
        supervisor.beside(lambda: lines.wait_for("never said"))


def test_a_request_to_stop_interrupts_the_waiting(supervisor: Supervisor, lines: Lines) -> None:
    supervisor.ask_to_stop()

    with pytest.raises(StopAsked):
        supervisor.beside(lambda: lines.wait_for("never said"))


def test_a_crashed_part_is_started_again(lines: Lines) -> None:
    policy = RestartPolicy(first_wait_s=0.01, crashes=1000)
    with Supervisor(Guard(), lines.hear, grace_s=20, policy=policy) as supervisor:
        supervisor.start(shell_part("gpu", "echo up; kill -9 $$"))
        user = Thread(target=stop_at_the_third_start, args=(lines, supervisor))
        user.start()

        supervisor.run()
        user.join()

    assert ("gpu", "gpu was killed by SIGKILL; starting it again in 0.01 s") in lines.said
    assert ("gpu", "gpu was killed by SIGKILL; starting it again in 0.02 s") in lines.said


def stop_at_the_third_start(lines: Lines, supervisor: Supervisor) -> None:
    lines.wait_for("up", times=3)
    supervisor.ask_to_stop()


def test_a_part_that_crashes_again_and_again_stops_everything(lines: Lines, lifeline: Lifeline) -> None:
    policy = RestartPolicy(first_wait_s=0.001, crashes=3, window_s=60)
    with Supervisor(Guard(), lines.hear, grace_s=20, policy=policy) as supervisor:
        supervisor.start(Part("api", lifeline.script("sleep 600"), os.environ))
        lifeline.wait_for(alive=1)
        supervisor.start(shell_part("gpu", "echo CUDA is sulking; exit 1"))

        with pytest.raises(StackFailed, match=r"gpu exited with code 1; it ended 3 times within 60 s(.|\n)*sulking"):
            supervisor.run()

    lifeline.wait_until_dead()


def test_a_foundation_outlives_those_that_stand_on_it(supervisor: Supervisor, lines: Lines) -> None:
    supervisor.start(shell_part("redis", STAYS, is_foundation=True))
    supervisor.start(shell_part("gpu", STAYS))
    supervisor.start(shell_part("cpu", STAYS))
    lines.wait_for("up", times=3)

    supervisor.stop()

    goodbyes = [name for name, line in lines.said if line == "bye"]
    assert sorted(goodbyes[:2]) == ["cpu", "gpu"]
    assert goodbyes[2:] == ["redis"]


def test_a_part_that_does_not_stop_in_time_is_killed(lines: Lines, lifeline: Lifeline) -> None:
    with Supervisor(Guard(), lines.hear, grace_s=0.05) as supervisor:
        supervisor.start(Part("gpu", lifeline.script(IGNORES_SIGTERM), os.environ))
        lines.wait_for("up")

    lifeline.wait_until_dead()


def test_asking_twice_kills_at_once(lines: Lines, lifeline: Lifeline) -> None:
    with Supervisor(Guard(), lines.hear, grace_s=3600) as supervisor:
        supervisor.start(Part("gpu", lifeline.script(IGNORES_SIGTERM), os.environ))
        lines.wait_for("up")
        supervisor.ask_to_stop()
        supervisor.ask_to_stop()

        supervisor.run()

    lifeline.wait_until_dead()


def test_what_a_crashed_leader_leaves_behind_dies_with_it(supervisor: Supervisor, lifeline: Lifeline) -> None:
    supervisor.start(Part("cpu", lifeline.script("sleep 600 & exit 1"), os.environ))

    lifeline.wait_for(alive=1)
    lifeline.wait_until_dead()


def test_any_bytes_may_be_said_and_a_last_line_needs_no_newline(supervisor: Supervisor, lines: Lines) -> None:
    supervisor.start(shell_part("gpu", r"printf '\377\n'; printf the-end; sleep 600 & exit 0"))

    lines.wait_for("the-end")

    assert lines.said == [("gpu", "�"), ("gpu", "the-end")]
