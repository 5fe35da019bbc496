"""Which part is hurt when, and how: drawn from a seed before the run begins. Knows no processes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class FaultType(StrEnum):
    KILL = "kill -9"
    """Started again after `for_s`, as a supervisor would."""
    PAUSE = "pause"
    """SIGSTOP, and SIGCONT after `for_s`. For a worker that is longer than a lease."""
    RESTART = "restart"
    """SIGTERM, and started again when it has ended."""
    CUT = "cut"
    """A connection's ends are told, and new ones are refused for `for_s`."""
    STALL = "stall"
    """Nothing passes a connection for `for_s`, and nobody is told."""
    LOSE = "lose answers"
    """What is asked is done, and for `for_s` the connection ends in the place of the answer, again and again."""


ON_LINKS = frozenset({FaultType.CUT, FaultType.STALL, FaultType.LOSE})


@dataclass(frozen=True)
class Fault:
    at_s: float
    type: FaultType
    parts: tuple[str, ...]
    """More than one: in turn, as a rolling restart does. For a fault of a link its name, `FROM>TO`."""
    for_s: float

    @property
    def name(self) -> str:
        return f"{self.type} {' '.join(self.parts)}"


@dataclass(frozen=True)
class Kind:
    weight: int
    type: FaultType
    parts: tuple[str, ...]
    for_s: tuple[float, float]


def _on_links(links: Sequence[str]) -> Iterator[Kind]:
    """Some are over before anybody notices, some outlast a lease."""
    for link in links:
        yield Kind(1, FaultType.CUT, (link,), (0.0, 6.0))
        yield Kind(1, FaultType.STALL, (link,), (1.0, 8.0))


WORKERS = ("gpu-1", "gpu-2", "cpu")
TO_REDIS = ("api>redis", "gpu-1>redis", "gpu-2>redis", "cpu>redis")
TO_S3 = ("api>s3", "gpu-1>s3", "gpu-2>s3", "cpu>s3")
TO_RABBITMQ = ("api>rabbitmq", "gpu-1>rabbitmq", "gpu-2>rabbitmq", "cpu>rabbitmq")
KINDS = (
    *(Kind(4, FaultType.KILL, (part,), (0.2, 1.0)) for part in ("gpu-1", "gpu-2", "cpu", "api")),
    *(Kind(3, FaultType.PAUSE, (part,), (4.0, 6.0)) for part in ("gpu-1", "gpu-2")),
    *(Kind(1, FaultType.PAUSE, (part,), (2.0, 6.0)) for part in ("cpu", "api")),
    Kind(3, FaultType.KILL, ("redis",), (0.1, 4.0)),
    Kind(1, FaultType.PAUSE, ("redis",), (1.0, 5.0)),
    Kind(3, FaultType.KILL, ("s3",), (0.1, 6.0)),
    Kind(2, FaultType.PAUSE, ("s3",), (2.0, 6.0)),
    Kind(2, FaultType.RESTART, (*WORKERS, "api"), (0.0, 0.0)),
    *_on_links(TO_REDIS),
    *(Kind(2, FaultType.LOSE, (link,), (0.0, 5.0)) for link in TO_REDIS),
    *_on_links(TO_S3[1:]),
)
# RabbitMQ takes seconds of both cores to come up, so it is hurt less often than its share.
RABBITMQ_KINDS = (
    Kind(2, FaultType.KILL, ("rabbitmq",), (0.1, 2.0)),
    Kind(2, FaultType.PAUSE, ("rabbitmq",), (1.0, 5.0)),
    *_on_links(TO_RABBITMQ),
)


def plan(seed: int, count: int, seconds: float, broker: str) -> list[Fault]:
    """Faults in the order of their times, the first when the load has begun and the last before it ends.

    Every kind comes once before any comes twice, as far as `count` reaches; which kinds come again is weighted chance.
    """
    random = Random(seed)
    kinds = [*KINDS, *(RABBITMQ_KINDS if broker == "rabbitmq" else ())]
    each = random.sample(kinds, k=len(kinds))
    more = random.choices(kinds, weights=[kind.weight for kind in kinds], k=count)
    chosen = [*each, *more][:count]
    times = sorted(random.uniform(0.05, 0.9) * seconds for _ in chosen)
    return [
        Fault(at_s, kind.type, kind.parts, random.uniform(*kind.for_s))
        for at_s, kind in zip(times, _shuffled(chosen, random), strict=True)
    ]


def _shuffled(kinds: list[Kind], random: Random) -> list[Kind]:
    return random.sample(kinds, k=len(kinds))
