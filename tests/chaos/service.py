"""The whole service as processes that can be hurt one by one, each started again, as a supervisor would."""

import asyncio
import time
from dataclasses import dataclass, field

from darkroom.settings import Settings
from tests.chaos.link import Link
from tests.chaos.schedule import ON_LINKS, Fault, FaultType
from tests.servers import ServerProcess

SUPERVISED_EVERY_S = 0.5
# Long enough for a connection that was opened anew to be asked something.
LOST_EVERY_S = 0.3


@dataclass
class Part:
    """`held` is taken by whoever hurts it, so that two faults on one part come one after the other."""

    process: ServerProcess
    held: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended_by_itself: int = 0


@dataclass
class Wire:
    """A link, held like a part by whoever hurts it."""

    link: Link
    held: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Struck:
    fault: Fault
    at: float
    """Seconds since the epoch."""


class Service:
    """`settings` are those of one who stands beside it, and goes through no link."""

    def __init__(
        self, settings: Settings, parts: dict[str, Part], wires: dict[str, Wire], port_mapper: ServerProcess | None
    ) -> None:
        self.settings = settings
        self.parts = parts
        self.wires = wires
        self.struck: list[Struck] = []
        self._port_mapper = port_mapper

    @property
    def url(self) -> str:
        return self.settings.public_base_url

    async def start(self) -> None:
        for wire in self.wires.values():
            await wire.link.open()
        if self._port_mapper:
            await asyncio.to_thread(self._port_mapper.start)
        for part in self.parts.values():
            await asyncio.to_thread(part.process.start)

    async def stop(self) -> None:
        """Nothing is left to be lost: the oracle has spoken."""
        for part in reversed(self.parts.values()):
            part.process.kill()
        if self._port_mapper:
            self._port_mapper.kill()
        for wire in self.wires.values():
            await wire.link.cut()

    async def strike(self, fault: Fault) -> None:
        for number, name in enumerate(fault.parts):
            victim = self.wires[name] if fault.type in ON_LINKS else self.parts[name]
            async with victim.held:
                if number == 0:
                    self.struck.append(Struck(fault, time.time()))
                await (_disturb(victim.link, fault) if isinstance(victim, Wire) else _hurt(victim.process, fault))

    async def supervise(self) -> None:
        """Starts again what ended without being asked to, until canceled."""
        while True:
            await asyncio.sleep(SUPERVISED_EVERY_S)
            for part in self.parts.values():
                if part.process.has_ended and not part.held.locked():
                    async with part.held:
                        part.ended_by_itself += 1
                        await asyncio.to_thread(part.process.start)


async def _hurt(process: ServerProcess, fault: Fault) -> None:
    match fault.type:
        case FaultType.KILL:
            await asyncio.to_thread(process.kill)
            await asyncio.sleep(fault.for_s)
            await asyncio.to_thread(process.start)
        case FaultType.PAUSE:
            process.pause()
            try:
                await asyncio.sleep(fault.for_s)
            finally:
                process.resume()
        case FaultType.RESTART:
            await asyncio.to_thread(process.stop)
            await asyncio.to_thread(process.start)


async def _disturb(link: Link, fault: Fault) -> None:
    try:
        match fault.type:
            case FaultType.CUT:
                await link.cut()
                await asyncio.sleep(fault.for_s)
            case FaultType.STALL:
                link.stall()
                await asyncio.sleep(fault.for_s)
            case FaultType.LOSE:
                await _lose_answers(link, fault.for_s)
    finally:
        await link.heal()


async def _lose_answers(link: Link, for_s: float) -> None:
    """At least once."""
    ends_s = time.monotonic() + for_s
    while True:
        link.lose_answers()
        await asyncio.sleep(LOST_EVERY_S)
        if time.monotonic() > ends_s:
            return
