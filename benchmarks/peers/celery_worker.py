"""Celery as most people glue it to diffusers: one task is one call of the pipeline.

`celery -A benchmarks.peers.celery_worker worker --pool=solo`
"""

import redis
from celery import Celery, signals

from benchmarks.assignment import Assignment
from benchmarks.plain_pipeline import PlainPipeline
from benchmarks.work import Work

ASSIGNMENT = Assignment.of_this_process()
KEEP_S = 600

app = Celery("glue", broker=f"redis+socket://{ASSIGNMENT.redis_socket}?virtual_host=1")
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1, task_default_queue="draw")
images = redis.Redis(unix_socket_path=ASSIGNMENT.redis_socket)


class Studio:
    pipeline: PlainPipeline


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def load(**_: object) -> None:
    Studio.pipeline = PlainPipeline(ASSIGNMENT)


@app.task  # type: ignore[untyped-decorator]
def draw(job_id: str, work: dict[str, object]) -> None:
    (image,) = Studio.pipeline.draw([Work(**work)])  # type: ignore[arg-type]
    images.lpush(f"image:{job_id}", image)
    images.expire(f"image:{job_id}", KEEP_S)
