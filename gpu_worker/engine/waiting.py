"""Calls that wait, in groups of those that can share a forward: so nobody looks through all at each filing."""

from collections.abc import Callable, Mapping, Sequence

from gpu_worker.engine.call import Call, Entry
from gpu_worker.engine.calls.arguments import Fit

Key = tuple[int, Fit]
"""Priority, and what fits: bulk calls never share an interactive one's forward."""


class WaitingCalls:
    def __init__(self) -> None:
        self._groups: dict[Key, list[Call]] = {}

    def __contains__(self, call: Call) -> bool:
        return call in self._groups.get(_key(call), ())

    def add(self, call: Call) -> Sequence[Call]:
        """Gives the group that it is in now."""
        group = self._groups.setdefault(_key(call), [])
        group.append(call)
        return group

    def remove(self, calls: Sequence[Call]) -> None:
        """Calls of one group, such as a batch."""
        key, gone = _key(calls[0]), {id(call) for call in calls}
        left = [call for call in self._groups[key] if id(call) not in gone]
        if left:
            self._groups[key] = left
        else:
            del self._groups[key]

    def clear(self) -> Sequence[Call]:
        """Gives those that waited."""
        calls = [call for group in self._groups.values() for call in group]
        self._groups.clear()
        return calls

    def within_reach(self, can_run: Callable[[Entry], bool]) -> Mapping[Key, Sequence[Call]]:
        return {key: group for key, group in self._groups.items() if can_run(group[0].entry)}

    def fitting(self, fit: Fit) -> Sequence[Call]:
        """Of whichever priority."""
        return [call for (_, other), group in self._groups.items() if other == fit for call in group]


def _key(call: Call) -> Key:
    return call.run.priority, call.fit
