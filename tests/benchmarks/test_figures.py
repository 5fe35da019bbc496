import pytest

from benchmarks.figures import Spread, markdown_table, percentile, poisson_arrivals, short


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.8, 4), (0.95, 5), (1.0, 5)])
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile([5, 1, 4, 2, 3], share) == value


def test_half_of_an_even_number_of_values_is_the_lower_middle_one() -> None:
    assert percentile([4, 1, 3, 2], 0.5) == 2


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_a_spread_says_of_how_many_values() -> None:
    assert Spread.of([10, 30, 20]) == Spread(count=3, p50=20, p95=30, max=30)


def test_arrivals_start_at_once_and_only_go_on() -> None:
    moments = poisson_arrivals(50, 2.0, seed=1)

    assert moments[0] == 0.0
    assert moments == sorted(moments)
    assert len(moments) == 50


def test_arrivals_come_at_the_rate_that_was_asked_for() -> None:
    assert poisson_arrivals(20_001, 4.0, seed=1)[-1] == pytest.approx(5000, rel=0.03)


def test_the_same_seed_gives_the_same_arrivals() -> None:
    assert poisson_arrivals(9, 1.0, seed=3) == poisson_arrivals(9, 1.0, seed=3)
    assert poisson_arrivals(9, 1.0, seed=3) != poisson_arrivals(9, 1.0, seed=4)


def test_the_columns_of_a_table_stand_under_each_other() -> None:
    table = markdown_table(("", "one"), [("a long name", "1"), ("b", "1,234")])

    assert table.splitlines() == [
        "|             | one   |",
        "| ----------- | ----- |",
        "| a long name | 1     |",
        "| b           | 1,234 |",
    ]


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValueError, match="cell"):
        markdown_table(("a", "b"), [("1",)])


@pytest.mark.parametrize(("value", "text"), [(1234.5, "1,234"), (12.34, "12"), (1.26, "1.3"), (0.0, "0.0")])
def test_a_figure_is_no_finer_than_it_can_be_read(value: float, text: str) -> None:
    assert short(value) == text
