"""Breaks: how books may differ, what each kind stops, what mends it; ids that are the same for ever."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from enum import IntEnum

SPACE = uuid.UUID("0e0ad1d6-5e9c-5b0e-9a51-5d2f6c8f4b11")
"""Of the ids of breaks and of what corrections make."""


class Kind(IntEnum):
    """How books differ, with the contract's numbers."""

    MISSING_AT_VENUE = 1
    UNKNOWN_HERE = 2
    MISSING_FILL = 3
    UNKNOWN_FILL = 4
    DUPLICATE_FILL = 5
    QUANTITY = 6
    PRICE = 7
    SIDE = 8
    STATE = 9
    POSITION = 10
    LATE = 11
    NOT_BOOKED = 12
    NOT_IN_LEDGER = 13


class Action(IntEnum):
    """What mends a break, with the contract's numbers."""

    ADOPT_FILL = 1
    REVERSE_FILL = 2
    CORRECT_FILL = 3
    END_ORDER = 4
    CANCEL_AT_VENUE = 5
    ADOPT_ORDER = 6
    ACCEPT = 7


class Mode(IntEnum):
    """How much a break stops, with the numbers of the kill switch."""

    CANCEL_ONLY = 1
    REDUCE_ONLY = 2


GATES: dict[Kind, Mode] = {
    # What works is not what it seems: nothing is added to it.
    Kind.MISSING_AT_VENUE: Mode.CANCEL_ONLY,
    Kind.UNKNOWN_HERE: Mode.CANCEL_ONLY,
    Kind.STATE: Mode.CANCEL_ONLY,
    # The position is not what it seems: what could add to it is taken away.
    Kind.MISSING_FILL: Mode.REDUCE_ONLY,
    Kind.UNKNOWN_FILL: Mode.REDUCE_ONLY,
    Kind.DUPLICATE_FILL: Mode.REDUCE_ONLY,
    Kind.QUANTITY: Mode.REDUCE_ONLY,
    Kind.SIDE: Mode.REDUCE_ONLY,
    Kind.POSITION: Mode.REDUCE_ONLY,
    Kind.NOT_BOOKED: Mode.REDUCE_ONLY,
    Kind.NOT_IN_LEDGER: Mode.REDUCE_ONLY,
}
"""What a kind stops for its instrument at its venue. A price or an answer that is late stops nothing."""

ACTIONS: dict[Kind, tuple[Action, ...]] = {
    Kind.MISSING_AT_VENUE: (Action.END_ORDER, Action.ACCEPT),
    Kind.UNKNOWN_HERE: (Action.ADOPT_ORDER, Action.CANCEL_AT_VENUE, Action.ACCEPT),
    Kind.STATE: (Action.CANCEL_AT_VENUE, Action.ACCEPT),
    Kind.MISSING_FILL: (Action.ADOPT_FILL, Action.ACCEPT),
    Kind.UNKNOWN_FILL: (Action.REVERSE_FILL, Action.ACCEPT),
    Kind.DUPLICATE_FILL: (Action.REVERSE_FILL, Action.ACCEPT),
    Kind.QUANTITY: (Action.CORRECT_FILL, Action.ACCEPT),
    Kind.PRICE: (Action.CORRECT_FILL, Action.ACCEPT),
    Kind.SIDE: (Action.ADOPT_FILL, Action.ACCEPT),
    Kind.POSITION: (Action.ADOPT_FILL, Action.ACCEPT),
    Kind.LATE: (Action.ACCEPT,),
    Kind.NOT_BOOKED: (Action.ADOPT_FILL, Action.ACCEPT),
    # The ledger books what trading tells, once what stops it is repaired: a second fill would count twice then.
    Kind.NOT_IN_LEDGER: (Action.ACCEPT,),
}
"""What may be proposed for a kind, the usual first. What is about an order's terms can only be accepted."""


@dataclass(frozen=True, slots=True)
class Says:
    """What one book says; empty where it does not say."""

    book: str
    present: bool
    side: int = 0
    quantity: int | None = None
    filled: int | None = None
    price: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference as it stands.

    Attributes:
        subject: what differs: "fill:<exec id>", "order:<id>", "position:<instrument>".
        since_ns: since when it is seen to stand so.
    """

    kind: Kind
    subject: str
    instrument: str
    text: str
    books: tuple[Says, ...]
    since_ns: int
    account: str = ""
    order_id: str = ""
    venue_order_id: str = ""
    exec_id: str = ""
    actions: tuple[Action, ...] = field(default=())

    def of(self, venue: str) -> str:
        """The break's id at a venue."""
        return break_id(self.kind, venue, self.subject)

    @property
    def evidence(self) -> str:
        """The same for the same difference: what was accepted stays accepted while this stays."""
        return repr(self.books)


def break_id(kind: Kind, venue: str, subject: str) -> str:
    """The id of a break: the same for the same kind, venue and subject, a UUID (RFC 9562, version 5)."""
    return str(uuid.uuid5(SPACE, f"{kind.name}\n{venue}\n{subject}"))


def adopted_id(venue: str, venue_order_id: str) -> str:
    """The platform's id of an order that was placed at a venue by hand, a UUID."""
    return str(uuid.uuid5(SPACE, f"order\n{venue}\n{venue_order_id}"))
