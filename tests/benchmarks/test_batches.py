from benchmarks.batches import batches_of_equal_steps
from benchmarks.work import Work, mixed_works


def _works(*steps: int) -> list[Work]:
    return [Work("a circle", each, seed=0) for each in steps]


def test_only_equal_step_counts_share_a_batch_shortest_first() -> None:
    assert batches_of_equal_steps(_works(20, 4, 20, 4, 4), largest=8) == [[1, 3, 4], [0, 2]]


def test_no_batch_is_larger_than_allowed_and_none_is_a_straggler() -> None:
    assert [len(batch) for batch in batches_of_equal_steps(_works(*[4] * 17), largest=8)] == [5, 6, 6]


def test_every_work_is_in_one_batch() -> None:
    works = mixed_works(50, seed=1)

    positions = [position for batch in batches_of_equal_steps(works, largest=4) for position in batch]

    assert sorted(positions) == list(range(50))


def test_one_by_one_is_a_batch_of_one() -> None:
    assert batches_of_equal_steps(_works(4, 4), largest=1) == [[0], [1]]
