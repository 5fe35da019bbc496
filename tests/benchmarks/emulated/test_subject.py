from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.emulated.subject import tiny_subject
from benchmarks.emulation import CURVES
from benchmarks.plain_pipeline import PlainPipeline
from benchmarks.work import equal_works


@pytest.mark.parametrize("curve", CURVES)
def test_each_curve_has_a_real_pipeline_that_draws_the_same_on_the_emulated_device(curve: str, tmp_path: Path) -> None:
    subject = tiny_subject(curve, tmp_path)
    assignment = subject.assignment(batch=2)
    works = equal_works(2, steps=2)

    plain = PlainPipeline(assignment).draw(works)
    emulated = PlainPipeline(replace(assignment, emulated=curve)).draw(works)

    assert emulated == plain
    assert assignment.turn.exists()
    assert subject.card.steps.max >= 50
