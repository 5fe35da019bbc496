"""One reading of everything that could grow: processes by /proc, Redis by itself."""

from pathlib import Path

from darkroom.errors import BrokerUnavailable
from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client
from darkroom.messages.wakeups import Wakeups

MB = 1 << 20

Reading = dict[str, float]


def of_process(name: str, pid: int) -> Reading:
    """With its children."""
    family = [pid, *_children(pid)]
    status = [_status(Path(f"/proc/{member}")) for member in family]
    return {
        f"{name} rss_mb": sum(int(each["VmRSS"].split()[0]) for each in status) / 1024,
        f"{name} threads": sum(int(each["Threads"]) for each in status),
        f"{name} files": sum(len(list(Path(f"/proc/{member}/fd").iterdir())) for member in family),
    }


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _status(folder: Path) -> dict[str, str]:
    lines = (folder / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def of_redis(client: Client) -> Reading:
    info = client.info()
    waiting = sum(client.zcard(keys.LINE("minilab", name)) for name in ("interactive", "bulk"))
    return {
        "redis_mb": info["used_memory"] / MB,
        "redis_clients": info["connected_clients"],
        "redis_keys": client.dbsize(),
        "waiting": waiting,
    }


def of_broker(wakeups: Wakeups) -> Reading:
    try:
        return {"wakeups": wakeups.pending("minilab")}
    except BrokerUnavailable:
        return {}
