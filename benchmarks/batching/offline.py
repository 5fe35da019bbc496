"""A bare diffusers loop over works that all lie there: one by one, and in the best batches.

`python -m benchmarks.batching.offline` reads works as JSON and prints what it measured as JSON; a process of its own,
so that no other system finds a core or memory taken.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from benchmarks.assignment import Assignment
from benchmarks.plain_pipeline import PlainPipeline
from benchmarks.work import Work, equal_works

SEARCH_STEPS = 10


@dataclass(frozen=True)
class Offline:
    """Images a second. `by_batch` is of works with equal step counts, the others of the mix.

    `cpu_s`: for all works of the mix in best batches. `on_each_core`: the same with as many loops as cores, each on one
    thread with its share of the mix; None on a GPU.
    """

    one_by_one: float
    best_batch: int
    in_best_batches: float
    cpu_s: float
    by_batch: Mapping[int, float]
    on_each_core: float | None = None


def measure(assignment: Assignment, works: Sequence[Work], sizes: Sequence[int]) -> Offline:
    pipeline = PlainPipeline(assignment)
    pipeline.draw(equal_works(1, steps=2))
    by_batch = {size: _rate_of_equal(pipeline, size, max(sizes)) for size in sizes}
    # What is best for equal works need not be for groups of uneven size: the mix decides between the first two.
    candidates = sorted(by_batch, key=lambda size: by_batch[size])[-2:]
    in_mix = {size: _rate_of_mix(pipeline, size, works) for size in candidates}
    best = max(in_mix, key=lambda size: in_mix[size][0])
    one_by_one, _ = _rate_of_mix(pipeline, 1, works)
    has_cores = assignment.device == "cpu" and not assignment.emulated
    on_each_core = _rate_on_each_core(assignment, best, works) if has_cores else None
    return Offline(one_by_one, best, *in_mix[best], by_batch, on_each_core)


def _rate_of_equal(pipeline: PlainPipeline, size: int, count: int) -> float:
    works = equal_works(count, SEARCH_STEPS)
    pipeline.draw(equal_works(size, steps=2))  # the first call of a shape is slow
    start = time.perf_counter()
    for first in range(0, count, size):
        pipeline.draw(works[first : first + size])
    return count / (time.perf_counter() - start)


def _rate_of_mix(pipeline: PlainPipeline, largest: int, works: Sequence[Work]) -> tuple[float, float]:
    """Images a second, and CPU seconds for all."""
    start, cpu_before = time.perf_counter(), time.process_time()
    pipeline.draw_mixed(works, largest)
    return len(works) / (time.perf_counter() - start), round(time.process_time() - cpu_before, 2)


def _rate_on_each_core(assignment: Assignment, largest: int, works: Sequence[Work]) -> float:
    """Images a second, once all are warm."""
    import torch

    cores = os.cpu_count() or 1
    # One after the other: loading one pipeline, diffusers changes torch for the whole process.
    pipelines = [PlainPipeline(assignment) for _ in range(cores)]
    shares = [works[first::cores] for first in range(cores)]
    warm_up = equal_works(largest, steps=2)
    with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        list(threads.map(lambda pipeline: pipeline.draw(warm_up), pipelines))
        start = time.perf_counter()
        list(threads.map(lambda pipeline, share: pipeline.draw_mixed(share, largest), pipelines, shares))
        return len(works) / (time.perf_counter() - start)


def main() -> None:
    asked = json.load(sys.stdin)
    works = [Work(**work) for work in asked["works"]]
    print(json.dumps(asdict(measure(Assignment.of_this_process(), works, asked["sizes"]))))


if __name__ == "__main__":
    main()
