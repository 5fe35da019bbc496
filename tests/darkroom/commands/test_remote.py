"""`darkroom generate` and its like, as typed in a terminal, against a real API."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from darkroom.commands.cli import app
from darkroom.commands.remote.server import Server, server_of
from darkroom.job_store.redis_client import Client as Redis
from darkroom.settings import Settings
from tests.api.input_pictures import picture
from tests.api.serving import Serving, serving
from tests.api.worker import PIXELS, Worker
from tests.eventually import eventually
from tests.in_a_thread import in_a_thread


@pytest.fixture
def api(settings: Settings) -> Iterator[Serving]:
    with serving(settings) as it:
        yield it


@pytest.fixture
def worker(api: Serving, client: Redis, settings: Settings) -> Worker:
    return Worker(client, settings, api.services.storage)


@pytest.fixture(autouse=True)
def _at_home(api: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_SERVER", api.url)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def darkroom(*arguments: str) -> Result:
    """In this process, where the API logs too: what it says is kept out of what the command prints."""
    with capture_logs():
        return CliRunner().invoke(app, list(arguments))


def drawn(worker: Worker, *arguments: str) -> Result:
    """The command's end, once a worker has done its part."""
    done = in_a_thread(lambda: darkroom(*arguments))
    eventually(lambda: worker.claims.waiting("minilab"), what="a job in line")
    worker.make_next()
    return done.result(timeout=30)


def test_an_image_is_made_and_written_to_the_file_that_is_named(worker: Worker, tmp_path: Path) -> None:
    done = drawn(worker, "generate", "a red circle", "-o", "out/circle.png", "--size", "128x64", "--seed", "7")

    assert (done.exit_code, done.stdout) == (0, "out/circle.png\n")
    assert (tmp_path / "out/circle.png").read_bytes() == PIXELS


def test_several_are_numbered_or_named_by_their_ids(worker: Worker, tmp_path: Path) -> None:
    drawn(worker, "generate", "boats", "-o", "boat.png", "--n", "2", "--quiet")
    done = drawn(worker, "generate", "boats", "-o", "folder/", "--n", "2")

    assert sorted(path.name for path in tmp_path.glob("boat*")) == ["boat-0.png", "boat-1.png"]
    [first, second] = done.stdout.splitlines()
    assert first.startswith("folder/")
    assert (first[-6:], second[-6:]) == ("-0.png", "-1.png")


def test_for_programs_it_prints_the_job_alone(worker: Worker) -> None:
    done = drawn(worker, "generate", "a red circle", "--json", "-o", "x.png")

    assert json.loads(done.stdout)["status"] == "succeeded"
    assert done.stderr == ""


def test_a_job_is_left_looked_at_fetched_and_canceled(worker: Worker, tmp_path: Path) -> None:
    job_id = darkroom("generate", "a red circle", "--no-wait").stdout.strip()
    assert darkroom("status", job_id).stdout.split()[:3] == [job_id, "queued", "minilab"]
    worker.make_next()

    assert darkroom("fetch", job_id, "-o", "later.png").exit_code == 0

    assert (tmp_path / "later.png").read_bytes() == PIXELS
    second = darkroom("generate", "another", "--no-wait", "--bulk").stdout.strip()
    assert darkroom("cancel", second).stdout == "canceled\n"
    assert [row.split()[0] for row in darkroom("status").stdout.splitlines()] == [second, job_id]
    assert darkroom("fetch", second).exit_code == 4


def test_a_picture_of_this_machine_is_uploaded(tmp_path: Path) -> None:
    (tmp_path / "boat.png").write_bytes(picture())

    done = darkroom("generate", "at night", "--image", "boat.png", "--strength", "0.5", "--no-wait", "--json")

    assert json.loads(done.stdout)["request"]["task"] == "image-to-image"


def test_models_lines_and_workers_are_listed(worker: Worker) -> None:
    worker.sign_on(lanes=3)
    darkroom("generate", "a red circle", "--no-wait")

    assert "minilab                 3 lanes" in darkroom("models").stdout
    assert darkroom("queue").stdout == "minilab              1 interactive, 0 bulk, 3 lanes\n"
    assert darkroom("workers").stdout.startswith("gpu-1 ")
    assert json.loads(darkroom("queue", "--json").stdout)["interactive"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("generate", "x", "--steps", "0"), 1, "steps is 0; choose"),
        (("status", "nope"), 1, "There is no job nope"),
        (("generate", "x", "--size", "big"), 2, "is no size"),
        (("generate", "x", "--image", "nowhere.png"), 2, "there is no file nowhere.png"),
        (("models", "--server", "http://127.0.0.1:9"), 3, "http://127.0.0.1:9 gives no answer"),
    ],
)
def test_what_goes_wrong_is_one_line_and_an_exit_code(arguments: tuple[str, ...], code: int, says: str) -> None:
    done = darkroom(*arguments)

    assert done.exit_code == code
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_flags_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    folder = tmp_path / ".config/darkroom"
    folder.mkdir(parents=True)
    (folder / "client.toml").write_text('server = "http://file"\nkey = "of-the-file"\n')
    home = {"HOME": str(tmp_path)}
    environment = {"DARKROOM_SERVER": "http://environment", "DARKROOM_KEY": "of-the-environment"}

    assert server_of("http://flag", "of-the-flag", home | environment) == Server("http://flag", "of-the-flag")
    assert server_of(None, None, home | environment) == Server("http://environment", "of-the-environment")
    assert server_of(None, None, home) == Server("http://file", "of-the-file")
    assert server_of(None, None, {"HOME": "/nowhere"}) == Server("http://127.0.0.1:8000", None)


def test_help_has_examples() -> None:
    assert "darkroom generate" in darkroom("generate", "--help").stdout
