"""No text, whoever sent it, becomes a key outside its job or a path outside the folder."""

import string
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from darkroom.errors import ObjectMissing
from storage.keys import checked_key, content_type, image_key, job_prefix, thumbnail_key
from storage.links import LinkSigner
from storage.local import LocalStorage

JOB = "01jd8x0v9q3tqk2m5y7w4z6a8c"
PIECES = ("..", ".", "/", "\\", "\0", "\n", "a", "0", "-", "~", "%2e", "é", " ")
NASTY = st.lists(st.sampled_from(PIECES)).map("".join)


def test_keys_stand_below_their_job() -> None:
    assert image_key(JOB, 0, "png") == f"jobs/{JOB}/0.png"
    assert thumbnail_key(JOB, 12) == f"jobs/{JOB}/12.thumbnail.webp"
    assert job_prefix(JOB) == f"jobs/{JOB}/"


@pytest.mark.parametrize(
    "job_id", ["", "short", JOB.upper(), JOB + "/", JOB + "\n", "../" + JOB, "0" * 41, "é" * 26, "٣" * 26]
)
def test_what_is_no_job_id_makes_no_key(job_id: str) -> None:
    with pytest.raises(ValueError, match="not the id of a job"):
        image_key(job_id, 0, "png")


@pytest.mark.parametrize("extension", ["", "svg", "html", "PNG", "png/../../x"])
def test_an_extension_of_no_image_makes_no_key(extension: str) -> None:
    with pytest.raises(ValueError, match="kept as one of png, webp, jpeg"):
        image_key(JOB, 0, extension)


@pytest.mark.parametrize("index", [-1, 10_000])
def test_an_index_out_of_range_makes_no_key(index: int) -> None:
    with pytest.raises(ValueError, match="not the index of an image"):
        thumbnail_key(JOB, index)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (image_key(JOB, 0, "png"), "image/png"),
        (image_key(JOB, 0, "jpeg"), "image/jpeg"),
        (thumbnail_key(JOB, 0), "image/webp"),
        ("jobs/x/0.html", "application/octet-stream"),
    ],
)
def test_the_extension_tells_the_content_type_and_never_one_that_runs(key: str, expected: str) -> None:
    assert content_type(key) == expected


@given(job_id=st.text(string.digits + string.ascii_lowercase, min_size=20, max_size=40), index=st.integers(0, 9999))
def test_every_key_of_a_job_is_accepted_and_has_its_prefix(job_id: str, index: int) -> None:
    for key in (image_key(job_id, index, "png"), thumbnail_key(job_id, index)):
        assert checked_key(key).startswith(job_prefix(job_id))


@given(text=st.text() | NASTY)
@example("jobs/../x")
@example("a/./b")
@example("a//b")
@example("a\n")
def test_a_text_is_refused_or_is_a_plain_relative_path(text: str) -> None:
    try:
        key = checked_key(text)
    except ValueError:
        return

    assert str(PurePosixPath(key)) == key
    assert not PurePosixPath(key).is_absolute()
    assert not any(part.startswith(".") for part in PurePosixPath(key).parts)


@given(text=st.text() | NASTY)
def test_no_text_leads_out_of_the_folder(text: str) -> None:
    root = Path("/nowhere/images")
    storage = LocalStorage(root, LinkSigner(b"s" * 32), "http://images.example")

    with pytest.raises((ValueError, ObjectMissing)):
        storage.path(text)
