from darkroom.request import ImageRequest
from gpu_worker.jobs.job_end import without_prompts
from tests.conftest import MakeRequest


def caught(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def test_a_message_of_its_own_is_shown_with_where_it_came_from(request_of: MakeRequest) -> None:
    report = without_prompts(caught("expected 4 channels"), request_of(prompt="a lighthouse"))

    assert "ValueError: expected 4 channels" in report
    assert "in caught" in report


def test_a_message_that_quotes_the_prompt_is_not_shown(request_of: MakeRequest) -> None:
    request: ImageRequest = request_of(prompt="a lighthouse")

    report = without_prompts(caught("cannot encode 'a lighthouse' at once"), request)

    assert "lighthouse" not in report
    assert "in caught" in report
    assert "ValueError" in report


def test_nor_one_that_quotes_it_as_python_writes_it(request_of: MakeRequest) -> None:
    prompt = "a lighthouse\nby the sea"

    assert "lighthouse" not in without_prompts(caught(f"got {prompt!r}"), request_of(prompt=prompt))


def test_nor_one_that_quotes_what_to_keep_out(request_of: MakeRequest) -> None:
    request = request_of(negative_prompt="gulls and boats")

    assert "gulls" not in without_prompts(caught("got ['gulls and boats']"), request)
