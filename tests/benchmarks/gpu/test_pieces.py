import importlib.util
from pathlib import Path

from benchmarks.gpu.campaign import said
from benchmarks.gpu.pieces import Piece, ablations, cuda_tests, real_pieces, rehearsal_pieces
from benchmarks.gpu.report import REHEARSED, report
from benchmarks.gpu.subjects import MODELS
from darkroom.catalogue import Tuning
from tests.benchmarks.gpu.test_campaign import Ran


def modules(pieces: list[Piece]) -> set[str]:
    return {piece.command[piece.command.index("-m") + 1] for piece in pieces}


def test_pieces_have_names_of_their_own() -> None:
    for pieces in (real_pieces(), rehearsal_pieces()):
        assert len({piece.name for piece in pieces}) == len(pieces)


def test_every_program_of_the_campaign_is_rehearsed() -> None:
    assert modules(real_pieces()) == modules(rehearsal_pieces())
    assert all(importlib.util.find_spec(module) for module in modules(real_pieces()))


def test_models_of_pieces_exist() -> None:
    models = {
        piece.command[piece.command.index("--model") + 1] for piece in real_pieces() if "--model" in piece.command
    }

    assert models == {"sdxl-random", "flux-random"}
    assert models <= set(MODELS)


def test_each_ablation_is_a_tuning_that_a_card_can_have() -> None:
    tunings = [
        piece.command[piece.command.index("--tuning") + 1] for piece in ablations() if "--tuning" in piece.command
    ]

    assert all(Tuning.model_validate_json(tuning) != Tuning() for tuning in tunings)


def test_tests_of_cuda_are_found_wherever_they_stand(repository: Path) -> None:
    assert "tests/gpu_worker/engine/test_cuda.py" in cuda_tests()
    assert "tests/benchmarks/gpu/test_pieces.py" not in cuda_tests()


def test_a_page_of_a_rehearsal_says_that_it_is_one() -> None:
    outcomes = [Ran()(piece) for piece in rehearsal_pieces()]

    assert REHEARSED in report(outcomes, is_rehearsal=True)
    assert REHEARSED not in report(outcomes, is_rehearsal=False)


def test_a_page_names_every_piece_with_what_it_found_or_why_not() -> None:
    pieces = real_pieces()

    page = report([Ran(failing=["parity"])(piece) for piece in pieces], is_rehearsal=False)

    assert all(f"| {piece.name} " in page for piece in pieces)
    assert "`parity` failed" in page


def test_a_command_is_said_without_this_machine_s_python() -> None:
    assert all("/bin/python" not in said(piece) for piece in real_pieces())
