"""Two hundred requests that are refused, each with pictures: nothing of them stays in storage or among the records."""

import base64
from collections import Counter
from itertools import cycle, islice
from typing import Any

import httpx

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.settings import Settings
from tests.api.input_pictures import picture
from tests.api.problems import problem_of

BAD = 200


def data(width: int, height: int = 64) -> str:
    return "data:image/png;base64," + base64.b64encode(picture(width, height)).decode()


def bad_bodies() -> list[dict[str, Any]]:
    good = data(64)
    return [
        {"image": good, "mask": data(96)},
        {"mask": good},
        {"image": good, "strength": 0},
        {"image": good, "steps": 1, "strength": 0.1},
        {"image": [good] * 3},
        {"image": [good] * 17},
        {"image": good, "mask": "alpha"},
        {"image": good, "steps": 0},
        {"image": good, "upscale": 3},
        {"image": good, "n": 9},
        {"image": good, "model": "nothing"},
        {"image": good, "mask": "upl_" + "0" * 24},
        {"image": good, "mask": "0" * 28 + "-0"},
        {"image": good, "mask": "data:image/png;base64,AAAA"},
        {"image": good, "mask": "data:image/png;base64,!"},
        {"image": good, "mask": "https://127.0.0.1/mask.png"},
        {"image": good, "mask": "https://127.0.0.1:99999/mask.png"},
        {"image": good, "mask": "ftp://example.com/mask.png"},
        {"image": good, "controlnet": "canny", "control_image": good},
        {"control_image": good},
        {"image": good, "unknown": 1},
        {"image": good, "prompt": ""},
    ]


def test_two_hundred_bad_requests_leave_nothing(http: httpx.Client, settings: Settings, client: Client) -> None:
    bodies = list(islice(cycle(bad_bodies()), BAD))

    answers = [http.post("/generate", json={"prompt": "x"} | body) for body in bodies]

    refused = Counter(problem_of(answer)["code"] for answer in answers)
    assert all(answer.status_code in {404, 422} for answer in answers)
    assert len(refused) >= 15, refused
    assert [path for path in settings.images_dir.rglob("*") if path.is_file()] == []
    assert [*client.keys(f"{keys.INPUT.prefix}:*"), *client.keys(f"{keys.JOB.prefix}:*")] == []
    assert client.zcard(keys.INPUT_FILES()) == 0
