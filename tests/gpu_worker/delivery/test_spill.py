"""Where encoded images wait."""

import stat
from pathlib import Path

import pytest

from gpu_worker.delivery.spill import OURS, Spill

MB = 2**20


def opened(root: Path, most_in_memory: int = 0) -> Spill:
    spill = Spill(root, 100 * MB, most_in_memory)
    spill.open()
    return spill


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "outbox"


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_few_images_wait_in_memory_and_more_on_disk(root: Path) -> None:
    spill = opened(root, most_in_memory=10)

    kept = [spill.keep(data) for data in (b"12345", b"67890", b"abc")]

    assert [one.read() for one in kept] == [b"12345", b"67890", b"abc"]
    assert [file.read_bytes() for file in files(root)] == [b"abc"]
    assert spill.waiting_bytes == 13
    spill.close()


def test_what_is_discarded_leaves_nothing(root: Path) -> None:
    spill = opened(root)
    kept = spill.keep(b"abc")

    spill.discard(kept)

    assert files(root) == []
    assert spill.waiting_bytes == 0
    spill.close()


def test_files_are_for_our_user_alone(root: Path) -> None:
    spill = opened(root)

    spill.keep(b"abc")

    [file] = files(root)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (root, file.parent)} == {0o700}
    spill.close()


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(root: Path) -> None:
    living = opened(root)
    kept = living.keep(b"abc")
    left = root / f"{OURS}of-a-killed-one"
    left.mkdir()
    for name in (".lock", "1"):
        (left / name).write_bytes(b"")

    another = opened(root)

    assert files(root) == [kept.path]
    for spill in (living, another):
        spill.close()


def test_what_is_not_ours_is_left_alone(root: Path) -> None:
    (root / "images").mkdir(parents=True)
    (root / "images" / "1.png").write_bytes(b"precious")

    opened(root).close()

    assert [file.name for file in files(root)] == ["1.png"]


def test_closing_leaves_nothing(root: Path) -> None:
    spill = opened(root)
    spill.keep(b"abc")

    spill.close()

    assert [path.name for path in root.iterdir()] == [".lock"]


def test_where_the_disk_takes_nothing_memory_is_the_bound(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("no folder")
    spill = opened(tmp_path / "outbox", most_in_memory=10)

    first = spill.keep(b"1234567890")
    assert spill.fullness() < 1
    second = spill.keep(b"1")

    assert (first.read(), second.read()) == (b"1234567890", b"1")
    assert spill.fullness() >= 1
    spill.discard(first)
    assert spill.fullness() < 1
