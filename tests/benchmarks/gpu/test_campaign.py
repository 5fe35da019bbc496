import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from benchmarks.gpu.campaign import Outcome, read, run_all, run_piece, said
from benchmarks.gpu.pieces import Piece

DEVICE = {"device": "none"}


def piece(name: str = "one", code: str = "print(1)", needs: str | None = None, *, is_tests: bool = False) -> Piece:
    return Piece(name, "What?", ("-c", code), needs, is_tests)


class Ran:
    """Runs nothing, and remembers what it was asked for."""

    def __init__(self, failing: Sequence[str] = ()) -> None:
        self.names: list[str] = []
        self.failing = failing

    def __call__(self, piece: Piece) -> Outcome:
        self.names.append(piece.name)
        state: Literal["failed", "done"] = "failed" if piece.name in self.failing else "done"
        return Outcome(piece.name, piece.question, said(piece), state, DEVICE, 1.0, {"ms": 2})


def test_a_piece_s_last_line_is_its_result() -> None:
    found = run_piece(piece(code="print('loading'); print('{\"ms\": 2}')"), DEVICE)

    assert (found.state, found.found, found.device) == ("done", {"ms": 2}, DEVICE)


def test_of_tests_the_last_line_is_kept_as_it_is() -> None:
    assert run_piece(piece(code="print('41 passed in 3 s')", is_tests=True), DEVICE).found == "41 passed in 3 s"


def test_a_piece_that_ends_badly_is_kept_with_its_last_words() -> None:
    found = run_piece(piece(code="print('{}'); raise SystemExit('no room')"), DEVICE)

    assert found.state == "failed"
    assert "no room" in found.tail


def test_a_piece_that_prints_no_result_has_failed() -> None:
    assert run_piece(piece(code="print('done!')"), DEVICE).state == "failed"


def test_a_piece_that_hangs_is_ended_when_its_time_is_over() -> None:
    found = run_piece(piece(code="import signal; print('begun', flush=True); signal.pause()"), DEVICE, limit_s=2)

    assert found.state == "failed"
    assert "It took longer than 2 s." in found.tail


def test_what_needs_a_package_that_is_not_there_is_skipped_and_says_so() -> None:
    found = run_piece(piece(needs="no_such_kernels"), DEVICE)

    assert (found.state, found.tail) == ("skipped", "no_such_kernels is not installed here.")


def test_a_campaign_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    pieces = [piece("one"), piece("two"), piece("three")]
    run_all(pieces[:2], tmp_path, Ran(failing=["two"]))
    later = Ran()

    outcomes = run_all(pieces, tmp_path, later)

    assert later.names == ["two", "three"]
    assert [outcome.state for outcome in outcomes] == ["done", "done", "done"]


def test_a_piece_is_run_again_when_asked_or_when_its_command_is_another(tmp_path: Path) -> None:
    run_all([piece("one")], tmp_path, Ran())
    again, changed = Ran(), Ran()

    run_all([piece("one")], tmp_path, again, again=True)
    run_all([piece("one", code="print(2)")], tmp_path, changed)

    assert again.names == changed.names == ["one"]


def test_a_damaged_result_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text("{")

    assert read(tmp_path, piece("one")) is None


def test_a_failed_piece_does_not_end_the_campaign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = run_all([piece("one"), piece("two")], tmp_path, Ran(failing=["one"]))

    assert [outcome.state for outcome in outcomes] == ["failed", "done"]
    assert json.loads((tmp_path / "one.json").read_text())["state"] == "failed"
    assert "one: failed after 1 s" in capsys.readouterr().err
