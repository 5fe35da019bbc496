"""A compiled network: few graphs, all made before the first job, and the same images. The compiler here only traces."""

import inspect
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import structlog
import torch
from torch import _dynamo as dynamo
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

from darkroom.catalogue import ModelCard, Range
from gpu_worker.engine.call import Call, Entry, Run
from gpu_worker.engine.calls.arguments import Fit, bind, flatten
from gpu_worker.engine.engine import Engine
from gpu_worker.engine.knees import Knees, Profile
from gpu_worker.engine.runner import Runner
from gpu_worker.jobs.pipeline_lane import PipelineLane
from gpu_worker.profiling.compiling import CACHE_DIR, Compiled, compiling, keep_compiled_in, sizes_up_to
from gpu_worker.profiling.knee_file import KneeFile
from gpu_worker.profiling.loading import Nobody
from gpu_worker.profiling.warm_up import warm_up, warm_up_requests
from models.loading import load_pipeline
from models.tuning import denoiser_of
from tests.gpu_worker.engine.batch_mates import Order, alone, difference, together
from tests.gpu_worker.engine.orders import PROMPTS, order
from tests.gpu_worker.engine.test_parity import TOLERANCE
from tests.models.conftest import TinyCard
from tests.models.tiny.pipelines import Family

MOST_ROWS = 4


class AllAreWorthIt(KneeFile):
    """A busy machine's measurements are no basis for a test."""

    def get(self, fit: Fit, forwards_at_once: int = 1) -> Profile:
        return Profile(MOST_ROWS)


class Plain(torch.nn.Module):
    """A network without blocks that diffusers knows of: the whole of it is compiled."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        return sample * timestep.reshape(-1, 1)


@pytest.fixture(autouse=True)
def compiler_as_before() -> Iterator[None]:
    dynamo.reset()
    dynamo.utils.counters.clear()
    yield
    torch.compiler.set_stance("default")
    dynamo.reset()


@pytest.fixture
def kept(tmp_path: Path) -> KneeFile:
    return AllAreWorthIt(tmp_path, "tiny", "cpu")


def test_random_mixes_meet_no_shape_that_was_not_compiled_and_draw_the_same(
    tiny_card: TinyCard, kept: KneeFile
) -> None:
    card, base = tiny_card("sd"), fresh(tiny_card("sd"))
    orders = random_orders(card)
    of_another_size = [order(card, size=(64, 32), seeds=(number,)) for number in range(2)]
    expected, otherwise = ([alone(base, each) for each in those] for those in (orders, of_another_size))
    knees = warmed(base, card, kept, "eager")
    compiled = graphs()

    # Instead of running such a shape uncompiled, as a worker does.
    with torch.compiler.set_stance("fail_on_recompile"):
        batch_mates = together(base, orders, knees)

    assert compiled == graphs() == len(sizes_up_to(MOST_ROWS, 2))
    assert len(set(batch_mates.rows)) > 1
    assert set(batch_mates.rows) <= {2, 4}, "an odd number of rows is padded"
    assert difference(batch_mates.images, expected) < TOLERANCE

    # Of a size that was not warmed up, they run as they would without a compiler.
    batch_mates = together(base, of_another_size, knees)

    assert graphs() == compiled
    assert difference(batch_mates.images, otherwise) < TOLERANCE


@pytest.mark.parametrize("family", ["qwen_image", "z_image"])
def test_prompts_of_any_length_need_no_more_graphs(family: Family, tiny_card: TinyCard, kept: KneeFile) -> None:
    # diffusers divides by nothing at Qwen-Image's only step.
    card = tiny_card(family).model_copy(update={"steps": Range[int](default=2, min=2, max=50)})
    base = fresh(card)
    orders = [
        order(card, prompt=prompt, guidance_scale=0.0, seeds=(number,), joins_at_forward=number)
        for number, prompt in enumerate(PROMPTS)
    ]
    expected = [alone(base, each) for each in orders]
    knees = warmed(base, card, kept, "eager")
    compiled = graphs()

    torch.compiler.set_stance("fail_on_recompile")
    batch_mates = together(base, orders, knees)

    assert 0 < compiled == graphs()
    assert len(set(batch_mates.rows)) > 1
    assert difference(batch_mates.images, expected) < TOLERANCE


def test_every_size_that_a_card_names_is_warmed_up(tiny_card: TinyCard) -> None:
    card = tiny_card("sd").model_copy(update={"warm_sizes": ((64, 32),)})

    assert [(request.width, request.height) for request in warm_up_requests(card)] == [(32, 32), (64, 32)]


def test_a_compiler_that_fails_costs_speed_and_is_told_of_once(tiny_card: TinyCard, kept: KneeFile) -> None:
    def broken(*_: object) -> Callable[..., Any]:
        raise RuntimeError("no C compiler here")

    card, base = tiny_card("sd"), fresh(tiny_card("sd"))
    expected = alone(base, order(card))

    with structlog.testing.capture_logs() as logs:
        knees = warmed(base, card, kept, broken)
    batch_mates = together(base, [order(card)], knees)

    told = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [entry["event"] for entry in told] == ["model.not_compiled"]
    assert "no C compiler here" in told[0]["reason"]
    assert difference(batch_mates.images, [expected]) == 0


def test_a_network_without_known_blocks_is_compiled_whole_and_padded_rows_reach_nobody() -> None:
    network, knees = Plain(), Knees(8)
    compiled = Compiled(network, "eager")
    first = call(network, [1.0], 2)
    with torch.no_grad(), compiling():
        sizes = compiled.warm(first, 4)
        knees.measured(first.fit, Profile(4), sizes)
    assert graphs() == len(sizes) == 4

    torch.compiler.set_stance("fail_on_recompile")
    calls = [call(network, [2.0], 3), call(network, [4.0, 5.0], 6.5)]
    with torch.no_grad():
        Runner(knees, unbatchable=None, hand_back=finish).run(calls)  # type: ignore[arg-type]
        Runner(knees, unbatchable=None, hand_back=finish).run([single := call(network, [7.0], 2)])  # type: ignore[arg-type]

    assert [each.result.flatten().tolist() for each in (*calls, single)] == [[6.0], [26.0, 32.5], [14.0]]


@pytest.mark.parametrize(
    ("most", "least", "sizes"),
    [(1, 1, (1,)), (8, 2, (2, 4, 6, 8)), (7, 1, (1, 2, 3, 4, 6, 7)), (2, 4, (4,)), (24, 2, (2, 4, 6, 8, 12, 16, 24))],
)
def test_few_sizes_are_compiled_and_none_is_beyond_the_knee(most: int, least: int, sizes: tuple[int, ...]) -> None:
    assert sizes_up_to(most, least) == sizes


@pytest.mark.parametrize("before", [{}, {CACHE_DIR: default_cache_dir()}])
def test_compiled_kernels_are_kept_for_the_next_start(before: dict[str, str], tmp_path: Path) -> None:
    environment = dict(before)

    keep_compiled_in(tmp_path, environment)

    assert environment == {CACHE_DIR: str(tmp_path)}


def test_the_operator_s_own_folder_of_compiled_kernels_is_used(tmp_path: Path) -> None:
    environment = {CACHE_DIR: "/cache/inductor"}

    keep_compiled_in(tmp_path, environment)

    assert environment == {CACHE_DIR: "/cache/inductor"}


def fresh(card: ModelCard) -> Any:
    """Not the one that other tests use, which nobody compiled."""
    return load_pipeline(card, device="cpu", dtype=torch.float32)


def graphs() -> int:
    return int(dynamo.utils.counters["stats"]["unique_graphs"])


def warmed(base: Any, card: ModelCard, kept: KneeFile, backend: Any) -> Knees:
    """As a worker does it, in an engine of its own."""
    engine = Engine(Knees(8), "cpu")
    engine.start()
    lane = PipelineLane(card, base, engine)
    try:
        warm_up(
            card,
            lambda request: lane.run(request, Nobody()),
            engine,
            kept,
            MOST_ROWS,
            lambda: Compiled(denoiser_of(base), backend),
        )
    finally:
        engine.stop()
    return engine.knees


def random_orders(card: ModelCard) -> list[Order]:
    drawing = random.Random(5)  # the same mix every time
    return [
        order(
            card,
            prompt=PROMPTS[number % 3],
            steps=drawing.randint(2, 4),
            guidance_scale=drawing.choice([0.0, 5.0]),
            seeds=tuple(range(number, number + drawing.randint(1, 2))),
            joins_at_forward=drawing.randint(0, 2) if number else 0,
        )
        for number in range(6)
    ]


def call(network: Plain, samples: list[float], timestep: float) -> Call:
    args = (torch.tensor([[sample] for sample in samples]), torch.tensor(timestep))
    signature = inspect.signature(network.forward)
    entry = Entry("Plain", "forward", network, signature)
    return Call(Run(0, 1, 0), entry, args, {}, flatten("Plain", "forward", bind(signature, args, {})), 0)


def finish(batch: Sequence[Call], results: Sequence[Any]) -> None:
    for each, result in zip(batch, results, strict=True):
        each.finish(result)
