"""The numbers of a session that outlive a connection, and what has to be stored of each step before it is sent.

A step's `Changes` are committed before its bytes are written: what the peer has seen is never forgotten. The number
that acknowledges what came is in the same changes, so that it commits with whatever the application made of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

SENT_KEPT_MAX = 1_000
"""Messages in memory that can be sent again as they were; older ones are filled by a gap."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An application message that was given a number.

    Attributes:
        number: MsgSeqNum.
        kind: MsgType.
        header: fields of the header beside those of the session, encoded.
        body: fields of the body, encoded.
        time_ns: SendingTime, nanoseconds since 1970 UTC.
    """

    number: int
    kind: bytes
    header: bytes
    body: bytes
    time_ns: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What a step has changed.

    Attributes:
        out_before: MsgSeqNum of our next message as it was stored last; another writer shows in it.
        due_before: the same of the peer's.
        out: MsgSeqNum of our next message.
        due: MsgSeqNum of the peer's next message; all before it have been applied.
        begun_ns: when the numbers began at 1, nanoseconds since 1970 UTC.
        reset: the numbers began anew, and what was sent before is of no use.
        sent: new messages, in order of their numbers.
    """

    out_before: int
    due_before: int
    out: int
    due: int
    begun_ns: int
    reset: bool
    sent: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """Messages that the peer asked for again, first to last number; what was sent of them is in the store."""

    first: int
    last: int


@dataclass(slots=True)
class Numbers:
    """MsgSeqNum of the next message in each direction, and what was sent, as far as it is kept in memory.

    Attributes:
        out: of our next message.
        due: of the peer's next message.
        fresh: the next logon has to ask for numbers from 1, if it may.
        begun_ns: when they began at 1.
        sent: the newest messages, for whoever has no store.
    """

    out: int = 1
    due: int = 1
    fresh: bool = True
    begun_ns: int = 0
    sent: OrderedDict[int, Sent] = field(default_factory=OrderedDict)

    def reset(self, now_ns: int = 0) -> None:
        """Both begin at 1."""
        self.out = self.due = 1
        self.begun_ns = now_ns
        self.sent.clear()

    def keep(self, changes: Changes) -> None:
        """Keeps what was sent, in place of a store."""
        for each in changes.sent:
            self.sent[each.number] = each
        while len(self.sent) > SENT_KEPT_MAX:
            self.sent.popitem(last=False)

    def recall(self, first: int, last: int) -> Sequence[Sent]:
        """What is kept of the messages with these numbers, in order."""
        if last - first < len(self.sent):
            return [self.sent[number] for number in range(first, last + 1) if number in self.sent]
        return [each for number, each in self.sent.items() if first <= number <= last]
