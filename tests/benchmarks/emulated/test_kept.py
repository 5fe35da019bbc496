from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.emulated.kept import Damaged, all_kept, keep
from tests.benchmarks.emulated.results import KEPT


def test_curves_are_kept_one_by_one_and_read_in_their_order(tmp_path: Path) -> None:
    keep(replace(KEPT, curve="flux-1024"), tmp_path / "new")
    keep(replace(KEPT, curve="small"), tmp_path / "new")

    found = all_kept(tmp_path / "new")

    assert list(found) == ["small", "flux-1024"]
    assert found["small"].result == KEPT.result


def test_nothing_is_kept_where_nothing_was_run(tmp_path: Path) -> None:
    assert all_kept(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "{", '{"curve": "small", "about": {}}'])
def test_a_damaged_file_is_refused_by_name_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "small.json").write_text(text)

    with pytest.raises(Damaged, match=r"small\.json holds no results .* run its curve again"):
        all_kept(tmp_path)
