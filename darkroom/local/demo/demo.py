"""`darkroom demo`: the whole stack for the length of one image, in a folder of its own that is gone afterwards."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from darkroom.local import port
from darkroom.local.demo.demo_client import DemoClient, Order
from darkroom.local.demo.picture import require_png
from darkroom.local.demo.step_display import step_display
from darkroom.local.launch import launched
from darkroom.local.processes.guard import Guard
from darkroom.local.processes.supervisor import Supervisor
from darkroom.local.stack import Stack, local_stack, redis_dir
from darkroom.settings import Settings

READY_WITHIN_S = 120
READY_WITH_ANOTHER_MODEL_WITHIN_S = 600  # tens of GB, from a slow disk perhaps
FINISHED_WITHIN_S = 900
GRACE_S = 5
# What says how an image is made is kept; what says where jobs and images would go is not,
# so that a demo in a shell that is set up for production touches nothing there.
KEPT_SETTINGS = (
    "CATALOGUE",
    "DEFAULT_MODEL",
    "DEVICE",
    "GPU_MODELS",
    "LANES",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "QUEUE",
    "WEIGHTS_DIR",
)


def demo(order: Order, settings: Settings, environment: Mapping[str, str], out: Path, stream: TextIO) -> Path:
    """The file written. Raises StackFailed, DemoFailed, and StopAsked when interrupted."""
    with tempfile.TemporaryDirectory(prefix="darkroom-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        ours = demo_settings(settings, order, folder, port.any_free())
        redis_dir(ours).mkdir()
        stack = local_stack(ours, demo_environment(environment), folder / "redis.sock")
        return show(order, stack, Guard(removes=[folder]), out, stream)


def show(order: Order, stack: Stack, guard: Guard, out: Path, stream: TextIO) -> Path:
    def say(text: str) -> None:
        print(text, file=stream, flush=True)

    deadline_s = READY_WITH_ANOTHER_MODEL_WITHIN_S if order.model else READY_WITHIN_S
    supervisor = Supervisor(guard, hear=lambda _name, _line: None, grace_s=GRACE_S)
    say(f"Starting {', '.join(part.name for part in stack.parts)} …")
    with launched(stack, supervisor, deadline_s):
        say(f'Ready. Ordering "{order.prompt}".')
        with step_display(stream) as on_step:
            record, content = supervisor.beside(lambda: take_delivery(order, stack.url, on_step))
        path = write(content, out, record["id"])
        say(summary(path, len(content), record))
    return path


def take_delivery(order: Order, url: str, on_step: Callable[[int, int], None]) -> tuple[dict[str, Any], bytes]:
    """The record of the finished job, and its first image, checked."""
    import httpx

    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        client = DemoClient(http, FINISHED_WITHIN_S)
        job = client.order(order)
        client.follow(job, on_step)
        record = client.record(job)
        image = record["images"][0]
        content = client.fetch(image["url"])
    # What the order leaves open, the record tells: the model's own size.
    asked = {**record["request"], **order.body()}
    require_png(content, width=asked["width"], height=asked["height"], sha256=image["sha256"])
    return record, content


def write(content: bytes, out: Path, job: str) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{job}.png"
    path.write_bytes(content)
    return path


def summary(path: Path, size: int, record: Mapping[str, Any]) -> str:
    image, timings = record["images"][0], record["timings"]
    return (
        f"{path}  ({image['width']} x {image['height']}, {size:,} bytes)\n"
        f"  seed      {record['seed']}\n"
        f"  queued    {record['created_at']}\n"
        f"  started   {record['started_at']}  after {timings['queued_s']:.2f} s in line\n"
        f"  finished  {record['finished_at']}  after {timings['run_s']:.2f} s of work"
    )


def demo_settings(settings: Settings, order: Order, folder: Path, free_port: int) -> Settings:
    held = {"gpu_models": (order.model,)} if order.model else {}
    return settings.model_copy(update={"host": "127.0.0.1", "port": free_port, "data_dir": folder, **held})


def demo_environment(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {f"DARKROOM_{name}" for name in KEPT_SETTINGS}
    return {name: value for name, value in environment.items() if not name.startswith("DARKROOM_") or name in kept}
