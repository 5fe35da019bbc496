"""Removes inputs that no job needs any more, with their files."""

from darkroom.job_store.inputs import InputRecords
from storage.contract import Storage
from storage.keys import input_key


def remove_unused_inputs(records: InputRecords, storage: Storage) -> None:
    """Records first: from then on nobody can ask for the file, and its id is kept until it is removed.

    Raises RedisUnavailable, StorageUnavailable; the next round goes on from there.
    """
    records.drop_unused()
    for input_id in records.due_files():
        storage.delete([input_key(input_id)])
        records.file_removed(input_id)
