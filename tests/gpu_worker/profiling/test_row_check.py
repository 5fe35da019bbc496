"""Networks that mix the rows of a forward are found before the first job."""

from typing import Any

import pytest
import structlog
import torch

from gpu_worker.engine.call import Call
from gpu_worker.profiling.measure import keep_unequal_alone
from tests.gpu_worker.engine.engine_bench import EngineBench, engine_bench
from tests.gpu_worker.engine.fake_lanes import drawn, entry_of
from tests.gpu_worker.engine.fake_network import FakeNetwork


class Normalizing(FakeNetwork):
    """Divides by the largest sample of the forward: a statistic over all rows."""

    def forward(self, sample: torch.Tensor, scale: Any = 2.0) -> Any:
        return (super().forward(sample, scale)[0] / sample.max(),)


class Remembering(FakeNetwork):
    """Flags only the first row that it was ever shown."""

    def forward(self, sample: torch.Tensor, scale: Any = 2.0) -> Any:
        return super().forward(sample, scale)[0], [row == 0 for row in range(len(sample))]


class Summing(FakeNetwork):
    def forward(self, sample: torch.Tensor, scale: Any = 2.0) -> Any:
        return super().forward(sample, scale)[0], float(sample.sum())


def calls_of(bench: EngineBench, sample: float) -> list[Call]:
    with bench.engine.tapped() as calls:
        bench.lane().call(sample).result(30)
    return calls


@pytest.mark.parametrize("network", [Normalizing(), Remembering(), Summing()])
def test_a_network_whose_rows_depend_on_each_other_runs_alone_and_says_so(network: FakeNetwork) -> None:
    with engine_bench(network=network) as bench, structlog.testing.capture_logs() as logs:
        keep_unequal_alone(calls_of(bench, 1.0), calls_of(bench, 3.0), bench.engine)
        network.rows_per_forward.clear()

        futures = [lane.call(sample) for lane, sample in zip(bench.lanes(2), (1.0, 3.0), strict=True)]

        assert all(future.result(30) for future in futures)
        assert network.rows_per_forward == [1, 1]
    assert [log["event"] for log in logs] == ["network.not_batchable"]


def test_a_network_that_keeps_its_rows_apart_goes_on_sharing() -> None:
    with engine_bench() as bench:
        keep_unequal_alone(calls_of(bench, 1.0), calls_of(bench, 3.0), bench.engine)

        futures = [lane.call(sample) for lane, sample in zip(bench.lanes(2), (1.0, 3.0), strict=True)]

        assert [drawn(future) for future in futures] == [[2.0], [6.0]]
        assert entry_of(bench.network) not in bench.engine.unbatchable
