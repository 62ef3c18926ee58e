"""What breaks between venues' books and ours stop, as broker says it: whole for a venue, the newest number counts."""

from __future__ import annotations

from collections.abc import Iterable

from crossrate.api.risk.v1 import break_gate_pb2


class BreakGates:
    """What stands for each venue. It never changes: `after` makes the next one."""

    def __init__(self, said: Iterable[break_gate_pb2.SetBreakGatesRequest]) -> None:
        self._said = {each.venue: each for each in said}

    def number(self, venue: str) -> int:
        """The number of what was said last of a venue; 0 for nothing."""
        said = self._said.get(venue)
        return said.number if said is not None else 0

    def all(self) -> list[break_gate_pb2.BreakGate]:
        """Everything that is stopped, by venue."""
        return [gate for _, said in sorted(self._said.items()) for gate in said.gates]

    def after(self, said: break_gate_pb2.SetBreakGatesRequest) -> BreakGates:
        """As it is once that was said."""
        return BreakGates([*(each for each in self._said.values() if each.venue != said.venue), said])
