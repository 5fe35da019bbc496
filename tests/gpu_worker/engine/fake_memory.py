"""A device of as many bytes as a test wants, on which each row of a forward takes ROW_BYTES."""

from collections.abc import Callable

from tests.gpu_worker.engine.fake_network import FakeNetwork

ROW_BYTES = 10


class FakeMemory:
    def __init__(self, free_bytes: int, network: FakeNetwork) -> None:
        self._free_bytes = free_bytes
        self._network = network

    def free_bytes(self) -> int | None:
        return self._free_bytes

    def taken_by(self, forward: Callable[[], object]) -> int:
        forward()
        return self._network.rows_per_forward[-1] * ROW_BYTES
