"""What every storage promises, held against each of them: the folder, and S3 that verifies signatures."""

from datetime import UTC

import pytest

from darkroom.errors import ObjectMissing
from storage.keys import image_key, thumbnail_key
from tests.storage.conftest import Backend

JOB = "0" * 26
OTHER_JOB = "0" * 25 + "1"
KEY = image_key(JOB, 0, "png")
ESCAPES = ["../secret.png", "jobs/../../secret.png", "/etc/passwd", "jobs//0.png", "jobs/.draft", "", "jobs/a\n"]


def put(backend: Backend, key: str, data: bytes = b"pixels") -> None:
    backend.storage.put(key, data, content_type="image/png")


def changed(text: str) -> str:
    """With another last character."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def test_what_was_put_is_read_back_byte_for_byte(backend: Backend) -> None:
    data = bytes(range(256)) * 4096

    put(backend, KEY, data)

    assert backend.storage.get(KEY) == data


def test_putting_again_replaces_the_object(backend: Backend) -> None:
    put(backend, KEY, b"first, and longer")

    put(backend, KEY, b"second")
    put(backend, KEY, b"second")

    assert backend.storage.get(KEY) == b"second"


def test_reading_what_is_not_there_says_which_object(backend: Backend) -> None:
    key = image_key(JOB, 999, "png")

    with pytest.raises(ObjectMissing, match=r"999\.png"):
        backend.storage.get(key)


def test_deleting_removes_the_named_objects_and_no_other(backend: Backend) -> None:
    other = thumbnail_key(JOB, 0)
    put(backend, KEY)
    put(backend, other)

    backend.storage.delete([KEY])

    assert backend.storage.get(other) == b"pixels"
    with pytest.raises(ObjectMissing):
        backend.storage.get(KEY)


def test_deleting_what_is_not_there_is_harmless(backend: Backend) -> None:
    backend.storage.delete([image_key(JOB, 998, "png")])
    backend.storage.delete([])


def test_deleting_a_job_removes_all_below_its_prefix_and_nothing_of_another(backend: Backend) -> None:
    put(backend, KEY)
    put(backend, thumbnail_key(JOB, 0))
    put(backend, f"jobs/{JOB}/deeper/0.png")
    put(backend, image_key(OTHER_JOB, 0, "png"))

    backend.storage.delete_job(JOB)

    assert backend.storage.get(image_key(OTHER_JOB, 0, "png")) == b"pixels"
    for key in (KEY, thumbnail_key(JOB, 0), f"jobs/{JOB}/deeper/0.png"):
        with pytest.raises(ObjectMissing):
            backend.storage.get(key)


def test_deleting_a_job_without_images_is_harmless(backend: Backend) -> None:
    backend.storage.delete_job("z" * 26)


def test_deleting_many_jobs_removes_all_they_may_have_stored_and_nothing_of_another(backend: Backend) -> None:
    ids = [f"{number:026}" for number in range(5)]
    theirs = [key for job_id in ids for key in (image_key(job_id, 1, "webp"), thumbnail_key(job_id, 0))]
    for key in (*theirs, image_key("9" * 26, 0, "png")):
        put(backend, key)

    kept = [backend.storage.delete_jobs(dict.fromkeys([*ids, "z" * 26], 2)) for _ in range(2)]

    assert kept == [{}, {}]
    assert backend.storage.get(image_key("9" * 26, 0, "png")) == b"pixels"
    for key in theirs:
        with pytest.raises(ObjectMissing):
            backend.storage.get(key)


def test_a_signed_url_fetches_the_object(backend: Backend) -> None:
    put(backend, KEY, b"shown")

    signed = backend.storage.signed_url(KEY)

    assert backend.fetch(signed.url) == b"shown"


def test_a_signed_url_with_a_file_name_fetches_the_object(backend: Backend) -> None:
    put(backend, KEY, b"shown")

    signed = backend.storage.signed_url(KEY, filename='a "quoted" näme & more.png')

    assert backend.fetch(signed.url) == b"shown"


def test_a_signed_url_states_its_expiry_as_a_whole_second_in_utc(backend: Backend) -> None:
    signed = backend.storage.signed_url(KEY, ttl_s=60)

    assert signed.expires_at.microsecond == 0
    assert signed.expires_at.tzinfo is UTC


def test_a_signed_url_is_refused_from_its_expiry_on(backend: Backend) -> None:
    put(backend, KEY)
    signed = backend.storage.signed_url(KEY, ttl_s=1)

    backend.wait_until(signed.expires_at)

    assert backend.fetch(signed.url) is None


def test_a_signed_url_does_not_open_another_object(backend: Backend) -> None:
    put(backend, KEY)
    put(backend, image_key(OTHER_JOB, 0, "png"))
    signed = backend.storage.signed_url(KEY)

    assert backend.fetch(signed.url.replace(JOB, OTHER_JOB)) is None


def test_a_signed_url_with_a_later_expiry_is_refused(backend: Backend) -> None:
    put(backend, KEY)
    signed = backend.storage.signed_url(KEY, ttl_s=60)
    local = str(int(signed.expires_at.timestamp()))

    longer = signed.url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000").replace(local, local[:-4] + "9999")

    assert longer != signed.url
    assert backend.fetch(longer) is None


def test_a_signed_url_with_a_changed_signature_is_refused(backend: Backend) -> None:
    put(backend, KEY)
    signed = backend.storage.signed_url(KEY)

    assert backend.fetch(changed(signed.url)) is None


def test_a_signed_url_with_another_file_name_is_refused(backend: Backend) -> None:
    put(backend, KEY)
    signed = backend.storage.signed_url(KEY, filename="mine.png")

    assert backend.fetch(signed.url.replace("mine.png", "yours.png")) is None


@pytest.mark.parametrize("ttl_s", [0, -1, 604_801])
def test_a_lifetime_that_s3_would_not_sign_is_refused(backend: Backend, ttl_s: int) -> None:
    with pytest.raises(ValueError, match="604800"):
        backend.storage.signed_url(KEY, ttl_s=ttl_s)


@pytest.mark.parametrize("key", ESCAPES)
def test_a_key_that_leads_elsewhere_is_refused_by_every_act(backend: Backend, key: str) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        put(backend, key)
    with pytest.raises(ValueError, match="not a storage key"):
        backend.storage.get(key)
    with pytest.raises(ValueError, match="not a storage key"):
        backend.storage.delete([key])
    with pytest.raises(ValueError, match="not a storage key"):
        backend.storage.signed_url(key)


def test_a_signed_url_does_not_show_itself_in_logs(backend: Backend) -> None:
    signed = backend.storage.signed_url(KEY)

    assert signed.url not in repr(signed)


def test_storage_that_is_well_passes_its_check(backend: Backend) -> None:
    backend.storage.check()
