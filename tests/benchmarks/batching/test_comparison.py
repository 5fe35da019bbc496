from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.batching.comparison import Load, compare
from benchmarks.batching.systems import Plan
from benchmarks.subject import Subject, choose_subject
from benchmarks.work import equal_works


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    subject: Subject = choose_subject("minilab", None, tmp_path_factory.mktemp("models"))
    return Plan(subject, subject.assignment(batch=8, window=32), Path("nowhere/python"), lanes=None)


LOAD = Load(equal_works(2, steps=4), [0.0, 0.1], samples=1, bulk_jobs=1)


def test_a_peer_that_is_not_installed_is_named_with_the_reason(plan: Plan) -> None:
    found = compare(["litserve", "ray"], plan, LOAD)

    assert found.systems == {}
    assert list(found.not_run) == ["litserve", "ray"]
    assert "litserve is not installed" in found.not_run["litserve"]


def test_a_peer_that_ends_while_it_starts_is_named_with_its_last_words(plan: Plan, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "no torch here"\nexit 1\n')
    python.chmod(0o755)

    found = compare(["bentoml"], replace(plan, peers_python=python), LOAD)

    assert "no torch here" in found.not_run["bentoml"]
