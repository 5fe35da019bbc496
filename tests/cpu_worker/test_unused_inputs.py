"""Inputs go when their time is over and no job needs them, and never before."""

import pytest

from cpu_worker.unused_inputs import remove_unused_inputs
from darkroom.errors import InputGone, ObjectMissing, StorageUnavailable
from darkroom.inputs import Input, new_upload_id
from darkroom.job_store import keys
from darkroom.job_store.inputs import InputRecords
from darkroom.job_store.redis_client import Client
from darkroom.job_store.store import JobStore
from storage.keys import input_key
from tests.conftest import MakeRequest
from tests.watched_storage import WatchedStorage, down, nothing


@pytest.fixture
def records(client: Client) -> InputRecords:
    return InputRecords(client)


def kept(records: InputRecords, storage: WatchedStorage, for_s: float, digest: str = "digest") -> Input:
    picture = Input(new_upload_id(), 64, 64)
    records.announce(picture.id)
    storage.put(input_key(picture.id), b"pixels", content_type="image/png")
    return records.keep(picture, "alice", digest, for_s).input


def is_there(storage: WatchedStorage, picture: Input) -> bool:
    try:
        storage.get(input_key(picture.id))
    except ObjectMissing:
        return False
    return True


def test_an_unused_input_goes_when_its_time_is_over(records: InputRecords, storage: WatchedStorage) -> None:
    over, not_over = kept(records, storage, -1, "one"), kept(records, storage, 60, "other")

    remove_unused_inputs(records, storage)

    assert (is_there(storage, over), is_there(storage, not_over)) == (False, True)
    assert records.get(over.id, "alice") is None
    assert records.find("alice", "other") == not_over


def test_an_input_stays_as_long_as_a_job_needs_it(
    records: InputRecords, storage: WatchedStorage, store: JobStore, request_of: MakeRequest
) -> None:
    picture = kept(records, storage, -1)
    jobs = [store.enqueue("alice", request_of(image=(picture.id,))).job for _ in range(2)]

    for job in jobs:
        remove_unused_inputs(records, storage)
        assert is_there(storage, picture)
        store.cancel(job.id)
        store.delete(job.id)
    remove_unused_inputs(records, storage)

    assert not is_there(storage, picture)


def test_an_enqueue_that_is_withdrawn_needs_nothing(
    records: InputRecords, storage: WatchedStorage, store: JobStore, request_of: MakeRequest
) -> None:
    picture = kept(records, storage, -1)
    job = store.enqueue("alice", request_of(image=(picture.id,))).job

    assert store.withdraw(job.id)
    remove_unused_inputs(records, storage)

    assert not is_there(storage, picture)


def test_what_is_gone_or_another_s_cannot_be_had_by_a_job(
    records: InputRecords, storage: WatchedStorage, store: JobStore, request_of: MakeRequest, client: Client
) -> None:
    gone, own = kept(records, storage, -1, "one"), kept(records, storage, 60, "other")
    remove_unused_inputs(records, storage)

    with pytest.raises(InputGone, match=gone.id):
        store.enqueue("alice", request_of(image=(own.id,), mask=gone.id))
    with pytest.raises(InputGone):
        store.enqueue("bob", request_of(image=(own.id,)))

    assert store.newest("alice", limit=9) == []


def test_bytes_that_come_again_while_they_are_removed_have_a_file_of_their_own(
    records: InputRecords, storage: WatchedStorage
) -> None:
    first = kept(records, storage, -1)
    records.drop_unused()
    second = kept(records, storage, 60)

    remove_unused_inputs(records, storage)

    assert second.id != first.id
    assert (is_there(storage, first), is_there(storage, second)) == (False, True)


def test_a_file_that_storage_did_not_remove_is_removed_later(records: InputRecords, storage: WatchedStorage) -> None:
    picture = kept(records, storage, -1)
    storage.before_delete = down

    with pytest.raises(StorageUnavailable):
        remove_unused_inputs(records, storage)
    storage.before_delete = nothing
    remove_unused_inputs(records, storage)

    assert not is_there(storage, picture)


def test_the_file_of_an_input_that_is_kept_is_not_to_be_removed(
    records: InputRecords, storage: WatchedStorage, client: Client
) -> None:
    kept(records, storage, 60)

    assert client.zcard(keys.INPUT_FILES()) == 0


def test_the_same_bytes_of_an_owner_are_kept_once_as_long_as_they_are_there(
    records: InputRecords, storage: WatchedStorage
) -> None:
    first = kept(records, storage, -1)
    again = kept(records, storage, -1)
    remove_unused_inputs(records, storage)

    later = kept(records, storage, 60)

    assert again == first
    assert later != first
