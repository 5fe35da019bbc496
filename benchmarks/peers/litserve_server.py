"""LitServe with its batching: `python -m benchmarks.peers.litserve_server`.

Its continuous batching loop is for streamed tokens: it wants the model's own loop cut into steps, which a stock
diffusers pipeline doesn't have.
"""

from typing import Any

import litserve
from fastapi import Response

from benchmarks.assignment import Assignment
from benchmarks.plain_pipeline import PlainPipeline
from benchmarks.work import Work

# As its documentation has it. It hardly matters under load: what comes in during a batch is the next one.
BATCH_TIMEOUT_S = 0.05


class Drawing(litserve.LitAPI):  # type: ignore[misc]
    def setup(self, device: str) -> None:  # noqa: ARG002
        self._pipeline = PlainPipeline(Assignment.of_this_process())

    def decode_request(self, request: dict[str, Any]) -> Work:
        return Work(**request)

    def batch(self, inputs: list[Work]) -> list[Work]:
        return inputs

    def predict(self, works: list[Work]) -> list[bytes]:
        return self._pipeline.draw_mixed(works)

    def unbatch(self, output: list[bytes]) -> list[bytes]:
        return output

    def encode_response(self, output: bytes) -> Response:
        return Response(output, media_type="image/png")


def main() -> None:
    assignment = Assignment.of_this_process()
    drawing = Drawing(max_batch_size=assignment.window, batch_timeout=BATCH_TIMEOUT_S, api_path="/draw")
    server = litserve.LitServer(
        drawing,
        accelerator=assignment.device.partition(":")[0],
        devices=1,
        workers_per_device=assignment.workers,
        timeout=False,
    )
    server.run(
        host="127.0.0.1", port=assignment.port, num_api_servers=1, generate_client_file=False, log_level="warning"
    )


if __name__ == "__main__":
    main()
