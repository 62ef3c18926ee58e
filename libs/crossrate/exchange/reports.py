"""What a venue tells its clients: numbered, and on the way for a while."""

from __future__ import annotations

from typing import Any, NamedTuple

from crossrate.exchange.chance import Chance, Latency, Purpose
from crossrate.exchange.event import Event


class Report(NamedTuple):
    """What a client learns.

    Attributes:
        receive_time: when it reaches the client, nanoseconds; never before an earlier one of the same owner.
        event: numbered by the venue from 1 without gaps; `time` is the venue's.
    """

    receive_time: int
    event: Event


class Reports:
    """Numbers events, and draws how long each is on its way."""

    def __init__(self, outbound: Latency, chance: Chance) -> None:
        """Nothing said yet."""
        self._outbound, self._chance = outbound, chance
        self._sequence = 0
        # Of each open order: commands sent and reports made, which count its random numbers.
        self._counts: dict[int, list[int]] = {}
        self._receipts: dict[int, int] = {}
        self._waiting: list[Report] = []

    def sent(self, order: int) -> int:
        """How many commands about an order were sent before this one."""
        counts = self._counts.setdefault(order, [0, 0])
        counts[0] += 1
        return counts[0] - 1

    def tell(self, event: Event, now: int) -> None:
        """Says something at a time."""
        self._sequence += 1
        counts = self._counts.get(event.id, (0, 0))
        delay = self._outbound.drawn(self._chance, Purpose.LATENCY_OUT, event.id, counts[1])
        if event.leaves:
            self._counts[event.id] = [counts[0], counts[1] + 1]
        else:
            self._counts.pop(event.id, None)
        receive = max(now + delay, self._receipts.get(event.owner, 0))
        self._receipts[event.owner] = receive
        self._waiting.append(Report(receive, event._replace(sequence=self._sequence)))

    def taken(self) -> list[Report]:
        """What was said since it was last asked."""
        said, self._waiting = self._waiting, []
        return said

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot; to be taken when nothing waits."""
        counts = [[order, *each] for order, each in sorted(self._counts.items())]
        return {"sequence": self._sequence, "counts": counts, "receipts": sorted(self._receipts.items())}

    def load(self, state: dict[str, Any]) -> None:
        """Goes on as the one whose state this is."""
        self._sequence = state["sequence"]
        self._counts = {order: [sent, told] for order, sent, told in state["counts"]}
        self._receipts = dict(state["receipts"])
