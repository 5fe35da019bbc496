"""What is S3's alone: headers, pages, endpoints, and what its refusals are turned into."""

import hashlib
from base64 import b64encode
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from darkroom.errors import Misconfigured, ObjectMissing, StorageUnavailable
from darkroom.settings import Settings
from storage.contract import Storage
from storage.keys import image_key, thumbnail_key
from storage.opening import open_storage
from tests.servers import S3Server
from tests.storage.canned_s3 import Answer, canned_s3, listing, refusal

JOB = "7" * 26
KEY = image_key(JOB, 0, "webp")
SECRET = "a-secret-that-must-not-show"
NOTHING_REFUSED = Answer(200, "<DeleteResult></DeleteResult>")


def store_at(endpoint_url: str | None = "http://127.0.0.1:9", **changes: object) -> Storage:
    settings = {"storage": "s3", "s3_endpoint_url": endpoint_url} | {
        "s3_access_key_id": "some-access-key",
        "s3_secret_access_key": SECRET,
    }
    return open_storage(Settings.model_validate(settings | changes))


def refused(*keys: str) -> Answer:
    """Done, but for these."""
    errors = "".join(f"<Error><Key>{key}</Key><Code>AccessDenied</Code></Error>" for key in keys)
    return Answer(200, f"<DeleteResult>{errors}</DeleteResult>")


@pytest.mark.s3
def test_a_signed_url_answers_with_the_content_type_that_was_put(s3: Storage) -> None:
    s3.put(KEY, b"pixels", content_type="image/webp")

    answer = httpx.get(s3.signed_url(KEY).url, trust_env=False)

    assert answer.headers["content-type"] == "image/webp"


@pytest.mark.s3
def test_more_objects_than_one_request_takes_are_deleted_in_pages(s3: Storage) -> None:
    last = image_key(JOB, 1000, "png")
    s3.put(last, b"pixels", content_type="image/png")

    s3.delete(image_key(JOB, index, "png") for index in range(1001))

    with pytest.raises(ObjectMissing):
        s3.get(last)


@pytest.mark.s3
def test_a_wrong_secret_is_said_plainly_and_not_repeated(s3_settings: Settings) -> None:
    wrong = s3_settings.model_validate(s3_settings.model_dump() | {"s3_secret_access_key": SECRET})

    with pytest.raises(StorageUnavailable, match="DARKROOM_S3_SECRET_ACCESS_KEY") as raised:
        open_storage(wrong).check()

    assert SECRET not in str(raised.value)


@pytest.mark.s3
def test_a_missing_bucket_is_named(s3_settings: Settings) -> None:
    elsewhere = s3_settings.model_copy(update={"s3_bucket": "not-there"})

    with pytest.raises(StorageUnavailable, match="no bucket 'not-there'"):
        open_storage(elsewhere).check()


@pytest.mark.s3
def test_a_store_that_hangs_is_found_out_by_the_check_in_a_few_seconds(s3: Storage, s3_server: S3Server) -> None:
    s3_server.process.pause()
    try:
        with pytest.raises(StorageUnavailable, match="does not answer in time"):
            s3.check()
    finally:
        s3_server.process.resume()


def test_a_store_that_is_not_there_is_named_with_what_to_check() -> None:
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:9 cannot be connected to\. Check DARKROOM_S3_"):
        store_at().check()


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (403, "AccessDenied", "Grant these keys s3:PutObject"),
        (403, "InvalidAccessKeyId", "does not know the access key"),
        (403, "SignatureDoesNotMatch", "refuses the signature"),
        (404, "NoSuchBucket", "Create it"),
        (400, "ExpiredToken", "credentials expired"),
        (403, "RequestTimeTooSkewed", "Set the clock"),
        (507, "Brand<New>Trouble", "HTTP status 507"),
    ],
)
def test_a_refusal_says_what_and_where_and_what_to_do(status: int, code: str, says: str) -> None:
    with canned_s3(refusal(status, code)) as store, pytest.raises(StorageUnavailable) as raised:
        store_at(store.endpoint_url).put(KEY, b"pixels", content_type="image/webp")

    assert says in raised.value.message
    assert store.endpoint_url in raised.value.message
    assert "hush-hush" not in raised.value.message


def test_a_store_that_stumbles_is_asked_again() -> None:
    with canned_s3(refusal(503, "SlowDown"), Answer(200)) as store:
        store_at(store.endpoint_url).put(KEY, b"pixels", content_type="image/webp")

    assert len(store.seen) == 2


def test_an_upload_carries_a_checksum_that_old_stores_know_too() -> None:
    with canned_s3(Answer(200)) as store:
        store_at(store.endpoint_url).put(KEY, b"pixels", content_type="image/webp")

    headers = store.seen[0][2]
    assert headers["content-md5"] == b64encode(hashlib.md5(b"pixels").digest()).decode()
    assert "x-amz-trailer" not in headers


def test_deleting_many_carries_the_checksum_that_some_stores_want() -> None:
    with canned_s3(NOTHING_REFUSED) as store:
        store_at(store.endpoint_url).delete([KEY])

    assert "content-md5" in store.seen[0][2]


def test_one_refused_deletion_among_many_is_an_error() -> None:
    with canned_s3(refused(KEY)) as store, pytest.raises(StorageUnavailable, match="denies access"):
        store_at(store.endpoint_url).delete([KEY])


def test_a_refused_deletion_keeps_no_later_object_from_going() -> None:
    keys = [image_key(JOB, index, "png") for index in range(1001)]

    with canned_s3(refused(keys[0]), NOTHING_REFUSED) as store, pytest.raises(StorageUnavailable):
        store_at(store.endpoint_url).delete(keys)

    assert len(store.seen) == 2


def test_of_many_jobs_those_stay_of_which_an_object_was_refused_and_the_others_go_with_one_request() -> None:
    jobs = {f"{number:026}": 1 for number in range(250)}
    first, *_, last = jobs

    with canned_s3(refused(image_key(first, 0, "png"), thumbnail_key(last, 0))) as store:
        kept = store_at(store.endpoint_url).delete_jobs(jobs)

    assert set(kept) == {first, last}
    assert "denies access" in kept[first].message
    assert len(store.seen) == 1


def test_many_jobs_of_a_store_that_does_not_answer_are_an_error_at_once() -> None:
    with canned_s3(refusal(403, "InvalidAccessKeyId")) as store, pytest.raises(StorageUnavailable, match="access key"):
        store_at(store.endpoint_url).delete_jobs({f"{number:026}": 1 for number in range(500)})

    assert len(store.seen) == 1


def test_a_denied_read_of_what_no_listing_shows_is_a_missing_object() -> None:
    with canned_s3(refusal(403, "AccessDenied"), listing()) as store, pytest.raises(ObjectMissing):
        store_at(store.endpoint_url).get(KEY)


def test_a_denied_read_of_what_is_listed_is_a_missing_right() -> None:
    with (
        canned_s3(refusal(403, "AccessDenied"), listing(KEY)) as store,
        pytest.raises(StorageUnavailable, match="denies access"),
    ):
        store_at(store.endpoint_url).get(KEY)


def test_an_image_cut_short_on_its_way_is_never_taken_for_whole() -> None:
    with canned_s3(Answer(200, "half", declared=8)) as store, pytest.raises(StorageUnavailable):
        store_at(store.endpoint_url).get(KEY)


def test_links_name_the_public_endpoint_and_the_rest_goes_to_the_inner_one() -> None:
    with canned_s3(Answer(200)) as store:
        storage = store_at(store.endpoint_url, s3_public_endpoint_url="https://images.example")
        storage.put(KEY, b"pixels", content_type="image/webp")
        url = storage.signed_url(KEY).url

    assert url.startswith(f"https://images.example/darkroom/{KEY}?")
    assert store.seen[0][1] == f"/darkroom/{KEY}"


def test_links_to_aws_name_the_region_because_a_redirect_would_void_the_signature() -> None:
    url = store_at(None, s3_region="eu-central-1").signed_url(KEY).url

    assert urlsplit(url).hostname == "darkroom.s3.eu-central-1.amazonaws.com"


def test_a_file_name_is_part_of_what_is_signed() -> None:
    url = store_at().signed_url(KEY, filename="red circle.webp").url

    assert parse_qs(urlsplit(url).query)["response-content-disposition"] == ['inline; filename="red circle.webp"']


def test_a_link_lives_as_long_as_the_settings_say() -> None:
    url = store_at(signed_url_ttl_s=77).signed_url(KEY).url

    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["77"]


def test_a_link_does_not_hold_the_secret() -> None:
    assert SECRET not in store_at().signed_url(KEY).url


@pytest.mark.parametrize("endpoint_url", ["minio:9000", "ftp://minio", "https://", "https://user:hush-hush@minio"])
def test_an_endpoint_that_is_no_plain_url_is_refused_at_the_start(endpoint_url: str) -> None:
    with pytest.raises(Misconfigured, match="DARKROOM_S3_ENDPOINT_URL") as raised:
        store_at(endpoint_url)

    assert "hush-hush" not in raised.value.message


def test_half_of_a_key_is_refused_at_the_start() -> None:
    with pytest.raises(Misconfigured, match="Set both"):
        store_at(s3_secret_access_key=None)
