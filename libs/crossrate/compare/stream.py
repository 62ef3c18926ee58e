"""Two streams, message by message.

Messages are paired by the cursor of their position and by what they carry, or in their order where there are no
cursors. Heartbeats are left out: when they come is a matter of time. Two streams that were begun and ended at
different moments have ends of which the other knows nothing; only what lies between messages that were paired is
missed.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from google.protobuf.message import Message

from crossrate.compare.difference import Difference, Manner
from crossrate.compare.message import Comparator

WINDOW = 1024
"""Messages that wait for their like on each side; the oldest is given up for the next."""

Key = Hashable | None


def position_key(message: Message) -> Key:
    """What pairs a message of a crossrate stream: its cursor and what it carries.

    Returns:
        None for a heartbeat, which is not compared; () for a message without a cursor, which is paired by order.
    """
    fields = message.DESCRIPTOR.fields_by_name
    event = message.WhichOneof("event") if "event" in message.DESCRIPTOR.oneofs_by_name else ""
    if event == "heartbeat":
        return None
    position = fields.get("position")
    if position is None or position.message_type is None or "cursor" not in position.message_type.fields_by_name:
        return ()
    cursor = message.position.cursor
    return (cursor, event) if cursor else ()


@dataclass(slots=True)
class _Side:
    """What came on one side and waits: its number and itself, by key and how often the key came before."""

    waiting: OrderedDict[tuple, tuple[int, Message]] = field(default_factory=OrderedDict)
    seen: OrderedDict[Hashable, int] = field(default_factory=OrderedDict)
    count: int = 0
    first_paired: int = -1
    last_paired: int = -1

    def label(self, key: Hashable) -> tuple:
        """The key with its number among equals; those without a cursor are equal all."""
        number = self.seen.pop(key, 0)
        self.seen[key] = number + 1
        if len(self.seen) > 2 * WINDOW:
            self.seen.popitem(last=False)
        return key, number

    def paired(self, number: int) -> None:
        """Notes that a message found its like."""
        if self.first_paired < 0:
            self.first_paired = number
        self.first_paired = min(self.first_paired, number)
        self.last_paired = max(self.last_paired, number)


class StreamComparison:
    """Pairs and compares the messages of two streams as they come.

    Args:
        comparator: compares two messages.
        key: what pairs messages; see position_key.
        instrument: the pair that the request names, for messages that do not.
    """

    def __init__(
        self, comparator: Comparator, key: Callable[[Message], Key] = position_key, instrument: str = ""
    ) -> None:
        self._comparator, self._key, self._instrument = comparator, key, instrument
        self._stable, self._candidate = _Side(), _Side()
        self.compared = 0

    def stable(self, message: Message) -> list[Difference] | None:
        """Takes stable's next message.

        Returns:
            The differences of the pair that it completes, and of a message that is given up for it; None if it
            completes none and nothing was given up.
        """
        return self._take(message, self._stable, self._candidate)

    def candidate(self, message: Message) -> list[Difference] | None:
        """Takes the candidate's next message; see stable."""
        return self._take(message, self._candidate, self._stable)

    def _take(self, message: Message, own: _Side, other: _Side) -> list[Difference] | None:
        key = self._key(message)
        if key is None:
            return None
        label = own.label(key)
        number, own.count = own.count, own.count + 1
        found = other.waiting.pop(label, None)
        if found is None:
            own.waiting[label] = (number, message)
            return self._give_up(own) if len(own.waiting) > WINDOW else None
        own.paired(number)
        other.paired(found[0])
        self.compared += 1
        pair = (message, found[1]) if own is self._stable else (found[1], message)
        return self._comparator.compare(*pair, instrument=self._instrument)

    def _give_up(self, side: _Side) -> list[Difference] | None:
        """Gives up the oldest message that waits; before the first pair nobody can tell whether it is missed."""
        label, (number, _) = side.waiting.popitem(last=False)
        if side.first_paired < 0 or number < side.first_paired:
            return None
        return [self._alone(label, side)]

    def _alone(self, label: tuple, side: _Side) -> Difference:
        key, number = label
        event = key[1] if isinstance(key, tuple) and len(key) == 2 else "message"
        where = f"[{key[0] if key else number}]"
        manner = Manner.MISSING if side is self._stable else Manner.EXTRA
        texts = (f"a {event}", "unset") if manner is Manner.MISSING else ("unset", f"a {event}")
        return Difference(where, f"[].{event}", manner, *texts, math.inf)

    def finish(self, complete: bool = False) -> list[Difference]:
        """What was never paired, in the order of its coming.

        Args:
            complete: both streams told everything, from their beginning to their end; else only what came between the
                first and the last message that was paired is missed.
        """
        found = []
        for side in (self._stable, self._candidate):
            for label, (number, _) in side.waiting.items():
                if complete or side.first_paired <= number <= side.last_paired:
                    found.append(self._alone(label, side))
            side.waiting.clear()
        return found
