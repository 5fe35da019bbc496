"""What is the folder's alone: whole files, private folders, no way out, and trouble with the disk."""

import resource
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from darkroom.errors import LinkExpired, LinkForged, ObjectMissing, StorageUnavailable
from storage.keys import image_key, job_prefix
from storage.links import LinkSigner
from storage.local import LocalStorage
from tests.storage.conftest import BASE_URL, Clock

JOB = "5" * 26
KEY = image_key(JOB, 0, "png")


def put(storage: LocalStorage, key: str = KEY, data: bytes = b"pixels") -> None:
    storage.put(key, data, content_type="image/png")


@contextmanager
def disk_that_ends_after(size_bytes: int) -> Iterator[None]:
    """The kernel refuses longer files, as a full disk refuses them: in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_a_write_that_ends_half_way_keeps_the_old_object_and_leaves_no_litter(
    local: LocalStorage, tmp_path: Path
) -> None:
    put(local, data=b"old")

    with disk_that_ends_after(1000), pytest.raises(StorageUnavailable, match="Cannot write the image folder"):
        put(local, data=b"n" * 5000)

    assert local.get(KEY) == b"old"
    assert files(tmp_path / "images") == [KEY]


def test_readers_beside_a_writer_see_whole_objects_only(local: LocalStorage) -> None:
    put(local, data=b"0" * 100_000)

    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(put, local, KEY, str(digit).encode() * 100_000) for digit in range(10)]
        seen = [pool.submit(local.get, KEY) for _ in range(40)]

    assert all(write.exception() is None for write in writes)
    assert all(len(read.result()) == 100_000 and len(set(read.result())) == 1 for read in seen)


def test_folders_and_files_are_private_to_our_user(local: LocalStorage, tmp_path: Path) -> None:
    put(local)

    root = tmp_path / "images"
    for folder in (root, root / "jobs", root / job_prefix(JOB)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((root / KEY).stat().st_mode) == 0o600


def test_deleting_a_job_takes_its_folder_and_half_written_files_along(local: LocalStorage, tmp_path: Path) -> None:
    put(local)
    (tmp_path / "images" / job_prefix(JOB) / ".draft-left-by-a-crash").write_bytes(b"half")

    local.delete_job(JOB)

    assert list((tmp_path / "images" / "jobs").iterdir()) == []


def test_a_job_deleted_by_several_at_once_is_gone_without_complaint(local: LocalStorage, tmp_path: Path) -> None:
    for index in range(50):
        put(local, image_key(JOB, index, "png"))

    with ThreadPoolExecutor(4) as pool:
        deletions = [pool.submit(local.delete_job, JOB) for _ in range(4)]

    assert [deletion.exception() for deletion in deletions] == [None] * 4
    assert files(tmp_path / "images") == []


def test_a_link_in_place_of_a_job_folder_is_followed_by_nothing(local: LocalStorage, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "0.png").write_bytes(b"not an image of ours")
    (tmp_path / "images" / "jobs").mkdir(parents=True)
    (tmp_path / "images" / "jobs" / JOB).symlink_to(outside)

    for act in (lambda: put(local), lambda: local.get(KEY), lambda: local.delete([KEY]), lambda: local.delete_job(JOB)):
        with pytest.raises(StorageUnavailable, match="Remove the link"):
            act()

    assert (outside / "0.png").read_bytes() == b"not an image of ours"


def test_links_that_lead_to_each_other_are_refused_too(local: LocalStorage, tmp_path: Path) -> None:
    folder = tmp_path / "images" / "jobs"
    folder.mkdir(parents=True)
    (folder / JOB).symlink_to(folder / "other")
    (folder / "other").symlink_to(folder / JOB)

    with pytest.raises((StorageUnavailable, ObjectMissing)):
        local.get(KEY)


def test_the_folder_itself_may_be_a_link_to_a_larger_disk(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "images").symlink_to(tmp_path / "large")
    storage = LocalStorage(tmp_path / "images", LinkSigner(b"s" * 32), BASE_URL)

    put(storage)

    assert (tmp_path / "large" / KEY).read_bytes() == b"pixels"


def test_a_file_where_a_folder_should_be_is_storage_trouble(local: LocalStorage, tmp_path: Path) -> None:
    (tmp_path / "images").write_bytes(b"")

    with pytest.raises(StorageUnavailable, match="A file stands where a folder should be"):
        put(local)
    with pytest.raises(StorageUnavailable, match="images"):
        local.check()


def test_a_folder_is_no_object(local: LocalStorage) -> None:
    put(local)

    with pytest.raises(ObjectMissing):
        local.get(job_prefix(JOB).rstrip("/"))


def test_a_link_leads_to_the_file_and_says_why_when_it_does_not(local: LocalStorage, clock: Clock) -> None:
    put(local)
    link = local.signed_url(KEY, ttl_s=60)
    query = dict(pair.split("=") for pair in link.url.partition("?")[2].split("&"))

    assert link.url.startswith(f"{BASE_URL}/files/{KEY}?expires=")
    assert local.linked_path(KEY, **query).read_bytes() == b"pixels"
    with pytest.raises(LinkForged):
        local.linked_path("../../etc/passwd", **query)
    clock.go_to(link.expires_at)
    with pytest.raises(LinkExpired):
        local.linked_path(KEY, **query)


def test_a_link_to_a_deleted_object_says_that_it_is_gone(local: LocalStorage) -> None:
    link = local.signed_url(KEY)
    query = dict(pair.split("=") for pair in link.url.partition("?")[2].split("&"))

    with pytest.raises(ObjectMissing):
        local.linked_path(KEY, **query)
