"""Fetches a job's inputs from storage, in the form in which the API has kept them."""

from io import BytesIO

from PIL import Image

from darkroom.errors import InputMissing, ObjectMissing
from darkroom.outages.retry_budget import retrying
from storage.contract import Storage
from storage.keys import input_key

# Storage that is away for longer gives the job back with its lease.
RETRY_FOR_S = 60.0


class InputReader:
    def __init__(self, storage: Storage, retry_for_s: float = RETRY_FOR_S) -> None:
        self._storage = storage
        self._retry_for_s = retry_for_s

    def __call__(self, input_id: str) -> Image.Image:
        """Raises InputMissing, StorageUnavailable."""
        try:
            data = retrying(self._retry_for_s)(self._storage.get, input_key(input_id))
        except ObjectMissing as error:
            raise InputMissing(f"The input {input_id} is not there any more. Send its picture again.") from error
        # A file of our own making: nothing but PNG is looked for.
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            image.load()
            return image
