"""The pieces of the campaign: each a command of at most nine minutes, that can be run by itself."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.side import REPOSITORY

LIMIT_S = 540
MARK = "pytest.mark." + "cuda"


@dataclass(frozen=True)
class Piece:
    """`command` runs with this Python. Its last line is JSON, unless `is_tests`: then it says how many passed.

    `needs` is a package without which it is skipped: some are for a few cards only, or do not fit into the bundle.
    """

    name: str
    question: str
    command: Sequence[str]
    needs: str | None = None
    is_tests: bool = False


def real_pieces() -> list[Piece]:
    """What decides comes first: whoever has a card for ten minutes learns most."""
    return [
        _tests("cuda-tests", "Does everything hold that only a card can show?", ("-m", "cuda")),
        _module("parity", "Does an image depend on the jobs beside it?", "parity"),
        *(
            _forwards(f"forward-{model}-{size}", f"{model}-random", size, {})
            for model in ("sdxl", "flux")
            for size in (512, 1024)
        ),
        *(_service(f"service-{model}-{size}", model, size) for model, size in SERVICES),
        *ablations(),
        _module(
            "step-reuse-sdxl", "What does step reuse save?", "step_reuse", "--model", "sdxl-random", "--jobs", "8",
        ),
        _module(
            "memory-edge-sdxl", "Are jobs let in rightly when memory is short?", "memory_edge",
            "--model", "sdxl-random",
        ),
    ]  # fmt: skip


SERVICES = (("sdxl", 512), ("sdxl", 1024), ("flux", 1024))


def ablations() -> list[Piece]:
    """Each beside `forward-sdxl-1024` or `forward-flux-1024`, which have none of it."""
    both: dict[str, dict[str, object]] = {"compile": {"compile": True}, "float8": {"quantization": "float8"}}
    of_flux: dict[str, dict[str, object]] = {
        name: {"attention": name} for name in ("_native_cudnn", "_native_flash", "flash", "_flash_3", "sage")
    }
    needs = {"float8": "torchao", "flash": "flash_attn", "_flash_3": "flash_attn_interface", "sage": "sageattention"}
    return [
        *(_forwards(f"sdxl-{name}", "sdxl-random", 1024, each, needs.get(name)) for name, each in both.items()),
        _forwards("sdxl-fuse-qkv", "sdxl-random", 1024, {"fuse_qkv": True}),
        _module(
            "sdxl-channels-outermost", "What do channels kept innermost give?", "forwards",
            "--model", "sdxl-random", "--no-channels-last",
        ),
        *(
            _forwards(f"flux-{name.strip('_')}", "flux-random", 1024, each, needs.get(name))
            for name, each in {**both, **of_flux}.items()
        ),
    ]  # fmt: skip


def rehearsal_pieces() -> list[Piece]:
    """The same programs with tiny models on a CPU, so that no minute of a card is lost to a typo."""
    on_cpu = ("--device", "cpu", "--size", "32")
    return [
        _tests("cuda-tests", "Can the tests be collected?", ("-m", "cuda", "--collect-only")),
        _module("parity", "", "parity", "--families", "flux", "--device", "cpu"),
        _module("forward-tiny", "", "forwards", "--model", "tiny-sdxl", "--images", "1", "2", *on_cpu),
        _module("step-reuse-tiny", "", "step_reuse", "--model", "tiny-sdxl", "--steps", "4", "--jobs", "2", *on_cpu),
        _module("memory-edge-tiny", "", "memory_edge", "--model", "tiny-sd", *on_cpu),
        Piece("service-minilab", "", (*_BATCHING, *_QUICK)),
    ]


_BATCHING = ("-m", "benchmarks.batching", "--peers-python", sys.executable)
_QUICK = ("--quick", "--only", "darkroom", "--size", "64", "--jobs", "4", "--samples", "1", "--bulk-jobs", "8")


def _service(name: str, model: str, size: int) -> Piece:
    """Enough jobs for a 95th percentile, few enough for nine minutes."""
    return Piece(
        name,
        "How does the service compare with an offline loop and with LitServe?",
        (
            *_BATCHING, "--model", f"{model}-random", "--size", str(size), "--only", "litserve,darkroom",
            "--jobs", "24" if model == "flux" else "60", "--samples", "5", "--bulk-jobs", "30",
            "--save-as", f"gpu/{name}",
        ),
    )  # fmt: skip


def _forwards(name: str, model: str, size: int, tuning: Mapping[str, object], needs: str | None = None) -> Piece:
    question = f"What does {json.dumps(tuning)} change?" if tuning else "How long is a forward, by images?"
    command = ("--model", model, "--size", str(size), "--tuning", json.dumps(tuning))
    return _module(name, question, "forwards", *command, needs=needs)


def _tests(name: str, question: str, arguments: Sequence[str]) -> Piece:
    command = ("-m", "pytest", "-p", "no:cacheprovider", *arguments, *cuda_tests())
    return Piece(name, question, command, is_tests=True)


def cuda_tests() -> list[str]:
    """Files that have any: collecting all others would take longer than these run."""
    files = sorted((REPOSITORY / "tests").rglob("test_*.py"))
    return [str(path.relative_to(REPOSITORY)) for path in files if MARK in path.read_text(encoding="utf-8")]


def _module(name: str, question: str, module: str, *arguments: str, needs: str | None = None) -> Piece:
    return Piece(name, question, ("-m", f"benchmarks.gpu.{module}", *arguments), needs)
