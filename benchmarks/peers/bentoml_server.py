"""BentoML with adaptive batching: `bentoml serve benchmarks.peers.bentoml_server:Drawing`."""

from base64 import b64encode
from typing import Any

import bentoml

from benchmarks.assignment import Assignment
from benchmarks.plain_pipeline import PlainPipeline
from benchmarks.work import Work

ASSIGNMENT = Assignment.of_this_process()
# What cannot be served within it is refused with 503; nobody else refuses anything here.
MAX_LATENCY_MS = 600_000


@bentoml.service(workers=ASSIGNMENT.workers, traffic={"timeout": MAX_LATENCY_MS // 1000})
class Drawing:
    def __init__(self) -> None:
        self._pipeline = PlainPipeline(ASSIGNMENT)

    @bentoml.api(batchable=True, max_batch_size=ASSIGNMENT.window, max_latency_ms=MAX_LATENCY_MS)  # type: ignore[untyped-decorator]
    def draw(self, works: list[dict[str, Any]]) -> list[str]:
        images = self._pipeline.draw_mixed([Work(**work) for work in works])
        # A batch's answer is JSON, so the files go as text.
        return [b64encode(image).decode("ascii") for image in images]
