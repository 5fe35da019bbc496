"""Guarded fetches: a client's URL leads to the public internet, within bounds, or to nothing at all."""

import pytest

from darkroom.errors import FetchFailed, Misconfigured, UrlForbidden, UrlTooLarge, UrlUnreachable, UrlWrongType
from darkroom.fetching.guarded_fetch import GuardedFetch, Limits
from darkroom.settings import read_settings
from tests.darkroom.fetching.internet import ELSEWHERE, PNG, PUBLIC, Internet, Resolver, answer, redirect

LIMITS = Limits(max_bytes=1000, content_types=PNG)


def test_what_a_public_https_address_has_is_fetched() -> None:
    internet, resolver = Internet({(PUBLIC, 443): [answer()]}), Resolver(example_com=[[PUBLIC]])

    fetched = GuardedFetch(resolver=resolver, network=internet).get("https://example.com/cat.png", LIMITS)

    assert (fetched.body, fetched.content_type) == (b"pixels", "image/png")
    # The certificate is checked against the name, though the address was connected to.
    assert internet.streams[0].server_names == ["example.com"]


def test_a_resolver_that_changes_its_answer_is_not_asked_again() -> None:
    internet = Internet({(PUBLIC, 443): [answer()], ("10.0.0.1", 443): [answer(body=b"inside")]})
    resolver = Resolver(rebinding_example=[[PUBLIC], ["10.0.0.1"]])

    fetched = GuardedFetch(resolver=resolver, network=internet).get("https://rebinding.example/", LIMITS)

    assert fetched.body == b"pixels"
    assert resolver.asked == ["rebinding.example"]
    assert internet.connected == [(PUBLIC, 443)]


def test_the_same_name_is_checked_anew_at_the_next_redirect() -> None:
    internet = Internet({(PUBLIC, 443): [redirect("/again")], ("10.0.0.1", 443): [answer(body=b"inside")]})
    resolver = Resolver(rebinding_example=[[PUBLIC], ["10.0.0.1"]])

    with pytest.raises(UrlForbidden):
        GuardedFetch(resolver=resolver, network=internet).get("https://rebinding.example/", LIMITS)

    assert internet.connected == [(PUBLIC, 443)]


def test_a_chain_that_ends_inside_at_its_third_redirect_is_refused_there() -> None:
    internet = Internet({
        (PUBLIC, 443): [redirect("https://b.example/"), redirect("https://inner.example/secret")],
        (ELSEWHERE, 443): [redirect("https://c.example/")],
        ("10.1.2.3", 443): [answer(body=b"inside")],
    })  # fmt: skip
    resolver = Resolver(
        a_example=[[PUBLIC]], b_example=[[ELSEWHERE]], c_example=[[PUBLIC]], inner_example=[["10.1.2.3"]]
    )

    with pytest.raises(UrlForbidden, match=r"inner\.example leads to an address that is not on the public internet"):
        GuardedFetch(resolver=resolver, network=internet).get("https://a.example/", LIMITS)

    assert internet.connected == [(PUBLIC, 443), (ELSEWHERE, 443), (PUBLIC, 443)]


def test_one_address_inside_among_public_ones_is_one_too_many() -> None:
    internet, resolver = Internet({(PUBLIC, 443): [answer()]}), Resolver(both_example=[[PUBLIC, "192.168.0.1"]])

    with pytest.raises(UrlForbidden):
        GuardedFetch(resolver=resolver, network=internet).get("https://both.example/", LIMITS)

    assert internet.connected == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://[::1]/", "https://localhost/"]
)
def test_this_machine_is_refused_however_it_is_spelled(url: str) -> None:
    internet = Internet({})

    with pytest.raises(UrlForbidden):
        GuardedFetch(network=internet).get(url, LIMITS)  # by the system's own resolver

    assert internet.connected == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///cat.png",
        "cat.png", "", "https://me:secret@example.com/", "https://example.com:99999/", "gopher://example.com",
        "https://example.com/" + "a" * 5000, "https://\ud800.example/",
    ],
)  # fmt: skip
def test_a_url_that_is_not_plain_https_is_refused_before_any_name_is_looked_up(url: str) -> None:
    resolver = Resolver(example_com=[[PUBLIC]])

    with pytest.raises(UrlForbidden) as refusal:
        GuardedFetch(resolver=resolver, network=Internet({})).get(url, LIMITS)

    assert resolver.asked == []
    assert refusal.value.message.endswith(".")


def test_a_redirect_may_not_leave_https() -> None:
    internet = Internet({(PUBLIC, 443): [redirect("http://example.com/")], (PUBLIC, 80): [answer()]})

    with pytest.raises(UrlForbidden):
        GuardedFetch(resolver=Resolver(example_com=[[PUBLIC]]), network=internet).get("https://example.com/", LIMITS)


def test_a_listed_origin_may_lie_inside_and_be_plain_http() -> None:
    internet = Internet({("10.0.0.9", 9000): [answer()]})
    resolver = Resolver(minio=[["10.0.0.9"]])
    fetch = GuardedFetch(("http://minio:9000",), resolver=resolver, network=internet)

    assert fetch.get("http://minio:9000/bucket/cat.png", LIMITS).body == b"pixels"
    with pytest.raises(UrlForbidden):
        fetch.get("http://minio:9001/", LIMITS)
    with pytest.raises(UrlForbidden):
        fetch.get("https://minio/", LIMITS)
    assert internet.connected == [("10.0.0.9", 9000)]


def test_redirects_in_a_circle_end() -> None:
    internet = Internet({(PUBLIC, 443): [redirect("https://example.com/round")] * 20})

    with pytest.raises(UrlUnreachable, match="more than 5 times"):
        GuardedFetch(resolver=Resolver(example_com=[[PUBLIC]]), network=internet).get("https://example.com/", LIMITS)

    assert len(internet.connected) == 6


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (answer(404), UrlUnreachable),
        (answer(500), UrlUnreachable),
        (answer(304, b""), UrlUnreachable),
        (answer(302, b""), UrlUnreachable),
        (answer(content_type="text/html"), UrlWrongType),
        (answer(content_type=""), UrlWrongType),
        (answer(content_encoding="gzip"), UrlWrongType),
        (answer(content_length="1001"), UrlTooLarge),
        (answer(content_length="9" * 500), FetchFailed),
        (answer(body=b"x" * 1001), UrlTooLarge),
        ([b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\n\r\n",
          *[b"1f4\r\n" + b"x" * 500 + b"\r\n"] * 1000], UrlTooLarge),
        ([b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 9\r\n\r\nhalf"], UrlUnreachable),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], UrlUnreachable),
        ([], UrlUnreachable),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_reason(said: list[bytes], error: type[FetchFailed]) -> None:
    internet = Internet({(PUBLIC, 443): [said]})

    with pytest.raises(error) as refusal:
        GuardedFetch(resolver=Resolver(example_com=[[PUBLIC]]), network=internet).get("https://example.com/", LIMITS)

    assert refusal.value.message.endswith(".")
    assert PUBLIC not in refusal.value.message


def test_a_name_without_an_address_and_a_server_that_is_off_say_so() -> None:
    fetch = GuardedFetch(resolver=Resolver(off_example=[[PUBLIC, ELSEWHERE]]), network=(internet := Internet({})))

    with pytest.raises(UrlUnreachable, match="has no address"):
        fetch.get("https://nowhere.example/", LIMITS)
    with pytest.raises(UrlUnreachable, match="does not take connections"):
        fetch.get("https://off.example/", LIMITS)

    assert internet.connected == [(PUBLIC, 443), (ELSEWHERE, 443)]


def test_a_server_that_drips_is_left_when_the_time_for_all_of_it_is_over() -> None:
    """Each byte comes in time for itself: only the sum shows what the server is up to."""
    now = 0.0

    def one_second_later() -> None:
        nonlocal now
        now += 1.0

    internet = Internet({(PUBLIC, 443): [[b"H", b"T", b"T", b"P", b"/1.1 200 OK\r\n", *[b"a: b\r\n"] * 1000]]})
    internet.heard = one_second_later
    fetch = GuardedFetch(resolver=Resolver(example_com=[[PUBLIC]]), network=internet, clock=lambda: now)

    with pytest.raises(UrlUnreachable, match="took too long"):
        fetch.get("https://example.com/", LIMITS)

    assert now == LIMITS.timeout_s


def test_origins_inside_are_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_FETCH_ORIGINS", "http://minio:9000, https://store.lan")

    assert read_settings().fetch_origins == ("http://minio:9000", "https://store.lan")


@pytest.mark.parametrize("wrong", ["minio:9000", "ftp://minio", "http://", "http://minio/bucket", "http://a@minio"])
def test_what_is_no_origin_is_refused_at_the_start(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_FETCH_ORIGINS", wrong)

    with pytest.raises(Misconfigured, match=r"DARKROOM_FETCH_ORIGINS.*a scheme, a host"):
        read_settings()
