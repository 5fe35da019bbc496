"""Links that the API serves itself: what opens, what is refused, and as what."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import LinkExpired, LinkForged
from storage.disposition import content_disposition
from storage.links import LinkSigner

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
SOON = NOW + timedelta(seconds=60)
KEY = "jobs/01jd8x0v9q3tqk2m5y7w4z6a8c/0.png"
SIGNER = LinkSigner(b"s" * 32)


def test_a_link_opens_until_its_expiry_and_not_at_it() -> None:
    query = SIGNER.sign(KEY, SOON)

    SIGNER.verify(KEY, **query, now=SOON - timedelta(microseconds=1))

    with pytest.raises(LinkExpired, match="2030-01-02T03:05:05"):
        SIGNER.verify(KEY, **query, now=SOON)


def test_another_secret_opens_nothing() -> None:
    query = LinkSigner(b"t" * 32).sign(KEY, SOON)

    with pytest.raises(LinkForged):
        SIGNER.verify(KEY, **query, now=NOW)


@pytest.mark.parametrize("expires", ["", "0", "-1", "+{}", " {}", "{}.0", "0{}", "1e12", "never", "٣", "\ud800"])
def test_an_expiry_written_differently_is_forged(expires: str) -> None:
    query = SIGNER.sign(KEY, SOON)

    with pytest.raises(LinkForged):
        SIGNER.verify(KEY, expires.format(query["expires"]), query["signature"], now=NOW)


def test_a_forged_link_that_also_expired_is_called_forged() -> None:
    query = SIGNER.sign(KEY, NOW - timedelta(days=1))

    with pytest.raises(LinkForged):
        SIGNER.verify(KEY + "x", **query, now=NOW)


@pytest.mark.parametrize("filename", [None, "", "yours.png"])
def test_a_file_name_cannot_be_changed_or_dropped(filename: str | None) -> None:
    query = SIGNER.sign(KEY, SOON, "mine.png")

    with pytest.raises(LinkForged):
        SIGNER.verify(KEY, query["expires"], query["signature"], NOW, filename)


def test_a_file_name_cannot_be_added() -> None:
    query = SIGNER.sign(KEY, SOON)

    with pytest.raises(LinkForged):
        SIGNER.verify(KEY, **query, now=NOW, filename="mine.png")


@given(signature=st.text())
def test_no_guessed_signature_opens_or_breaks_anything(signature: str) -> None:
    expires = SIGNER.sign(KEY, SOON)["expires"]

    with pytest.raises(LinkForged):
        SIGNER.verify(KEY, expires, signature, NOW)


@given(text=st.text(), other=st.text())
def test_two_different_names_never_share_a_signature(text: str, other: str) -> None:
    same = SIGNER.sign(KEY, SOON, text)["signature"] == SIGNER.sign(KEY, SOON, other)["signature"]

    assert same == (text == other)


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("0.png", 'inline; filename="0.png"'),
        ("red circle.png", 'inline; filename="red circle.png"'),
        ("näme.png", "inline; filename=\"n_me.png\"; filename*=UTF-8''n%C3%A4me.png"),
        ('a"b\\c.png', "inline; filename=\"a_b_c.png\"; filename*=UTF-8''a%22b%5Cc.png"),
        ("a\r\nSet-Cookie: b", "inline; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b"),
    ],
)
def test_a_file_name_becomes_a_header_of_rfc_6266(filename: str, header: str) -> None:
    assert content_disposition(filename) == header


@given(filename=st.text())
def test_no_file_name_breaks_out_of_its_header(filename: str) -> None:
    header = content_disposition(filename)

    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
