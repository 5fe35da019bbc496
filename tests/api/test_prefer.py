"""The header that says how long a client would wait, in every form that RFC 7240 allows."""

import time

import httpx
import pytest

from api.prefer import LONGEST_WAIT_S, wait_of


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        (["wait=5"], 5),
        (["WAIT=5"], 5),
        (['wait="5"'], 5),
        ([r'wait="\5"'], 5),
        (["wait = 5"], 5),
        (["respond-async, wait=5"], 5),
        (["respond-async", "wait=5"], 5),
        (["wait=5; strictly", "return=minimal"], 5),
        (["wait=5;a=b;c"], 5),
        (["wait=5, wait=7"], 5),
        (["wait=5", "wait=7"], 5),
        (["return=minimal; wait=9, wait=5"], 5),
        (['note="a, wait=9", wait=5'], 5),
        ([r'note="a \", wait=9", wait=5'], 5),
        ([",, ,wait=5,"], 5),
        (["wait=60"], 60),
        (["wait=61"], LONGEST_WAIT_S),
        (["wait=9999999"], LONGEST_WAIT_S),
        ([f"wait={'9' * 500}"], LONGEST_WAIT_S),
        (["wait=005"], 5),
        (["wait=0"], 0),
    ],
)
def test_a_preference_is_read_as_the_rfc_says(headers: list[str], wait_s: int) -> None:
    assert wait_of(headers) == wait_s


@pytest.mark.parametrize(
    "header",
    [
        "", "wait", "wait=", 'wait=""', "wait=-1", "wait=+1", "wait=1.5", "wait=1e9", "wait=x", "wait=5 5", "wait=٣",
        "await=5", "wait-for=5",
        'wait="5', "wait=5=6", "'wait=5'", "x; wait=5", ";;;,,,", '"wait=5"',
        f"x={'y' * 2000}, wait=5",
    ],
)  # fmt: skip
def test_one_that_cannot_be_read_is_ignored(header: str) -> None:
    assert wait_of([header]) == 0


@pytest.mark.parametrize("part", ['"', '\\"', '"\\', ",", "=", 'a="', ";", " "])
def test_no_header_takes_long_to_read(part: str) -> None:
    began = time.process_time()

    wait_of([part * 60_000])

    assert time.process_time() - began < 0.2


def test_several_headers_are_read_and_the_answer_says_what_was_done(shared_http: httpx.Client) -> None:
    headers = [("Prefer", "respond-async"), ("Prefer", 'wait="1"; strictly')]

    answer = shared_http.post("/generate", json={"prompt": "x"}, headers=headers)

    assert answer.headers["preference-applied"] == "wait=1"
