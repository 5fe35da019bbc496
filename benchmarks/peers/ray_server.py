"""Ray Serve with `@serve.batch`: `python -m benchmarks.peers.ray_server`."""

import ray
from fastapi import FastAPI, Response
from ray import serve

from benchmarks.assignment import Assignment
from benchmarks.plain_pipeline import PlainPipeline
from benchmarks.work import Work

ASSIGNMENT = Assignment.of_this_process()
BATCH_WAIT_S = 0.05

app = FastAPI()


@serve.deployment(
    num_replicas=ASSIGNMENT.workers,
    # Requests beyond this wait in the proxy, out of the batcher's sight.
    max_ongoing_requests=10_000,
    ray_actor_options={"num_cpus": 1, "num_gpus": 1 if ASSIGNMENT.device.startswith("cuda") else 0},
)
@serve.ingress(app)
class Drawing:
    def __init__(self) -> None:
        self._pipeline = PlainPipeline(ASSIGNMENT)

    @app.get("/healthz")
    async def healthz(self) -> str:
        return "ok"

    @app.post("/draw")
    async def draw(self, work: Work) -> Response:
        return Response(await self.draw_batch(work), media_type="image/png")

    @serve.batch(max_batch_size=ASSIGNMENT.window, batch_wait_timeout_s=BATCH_WAIT_S)  # type: ignore[untyped-decorator]
    async def draw_batch(self, works: list[Work]) -> list[bytes]:
        # Holds up the replica's event loop, as in Ray's own examples: in a thread, the batcher would meanwhile
        # have cut what comes in into batches of one.
        return self._pipeline.draw_mixed(works)


def main() -> None:
    ray.init(include_dashboard=False, log_to_driver=True, num_cpus=4)
    serve.start(http_options={"host": "127.0.0.1", "port": ASSIGNMENT.port})
    serve.run(Drawing.bind(), blocking=True)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
