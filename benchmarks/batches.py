"""Which works can share a plain pipeline's call: those with as many steps."""

from collections.abc import Sequence
from itertools import pairwise

from benchmarks.work import Work


def batches_of_equal_steps(works: Sequence[Work], largest: int) -> list[list[int]]:
    """Positions in `works`, shortest works first, each once; no batch has more than `largest`.

    Batches of a group differ by one at most: 8 and 8 are faster than 15 and a straggler.
    """
    groups: dict[int, list[int]] = {}
    for position, work in enumerate(works):
        groups.setdefault(work.steps, []).append(position)
    return [batch for steps in sorted(groups) for batch in _even_parts(groups[steps], largest)]


def _even_parts(group: Sequence[int], largest: int) -> list[list[int]]:
    parts = -(-len(group) // largest)
    bounds = [len(group) * part // parts for part in range(parts + 1)]
    return [list(group[start:end]) for start, end in pairwise(bounds)]
