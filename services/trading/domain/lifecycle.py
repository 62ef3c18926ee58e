"""The life of an order: every step that there is, as data.

    entry ─► PENDING_NEW ─► NEW ─► PARTIALLY_FILLED ─► FILLED
                  │          │ ▲        │
                  │          ▼ │        ▼
                  │     PENDING_CANCEL / PENDING_REPLACE ─► CANCELLED
                  ▼
           PENDING_UNKNOWN: the venue is asked, the order is never sent again

The names and numbers are those of FIX 39 OrdStatus and 150 ExecType as the contract has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Status(IntEnum):
    """Where an order stands. `NONE` is before its entry."""

    NONE = 0
    PENDING_NEW = 1
    NEW = 2
    PARTIALLY_FILLED = 3
    FILLED = 4
    PENDING_CANCEL = 5
    CANCELLED = 6
    PENDING_REPLACE = 7
    REJECTED = 8
    EXPIRED = 9
    SUSPENDED = 10
    PENDING_UNKNOWN = 11


class Exec(IntEnum):
    """What happened to it."""

    PENDING_NEW = 1
    NEW = 2
    TRADE = 3
    PENDING_CANCEL = 4
    CANCELLED = 5
    PENDING_REPLACE = 6
    REPLACED = 7
    REJECTED = 8
    CANCEL_REJECTED = 9
    REPLACE_REJECTED = 10
    EXPIRED = 11
    SUSPENDED = 12
    RESTATED = 13
    TRIGGERED = 14
    UNKNOWN = 15
    TRADE_CANCEL = 16
    TRADE_CORRECT = 17


class Reason(IntEnum):
    """Why it was refused, or ended."""

    CLIENT = 1
    RISK = 2
    KILL_SWITCH = 3
    DISCONNECT = 4
    CONTINGENCY = 5
    POST_ONLY = 6
    REDUCE_ONLY = 7
    NO_LIQUIDITY = 8
    EXPIRED = 9
    VENUE = 10
    NO_VENUE = 11
    QUOTE_GONE = 12
    TOO_LATE = 13
    SELF_TRADE = 14
    CORRECTION = 15
    PENDING = 16


FINAL = frozenset({Status.FILLED, Status.CANCELLED, Status.REJECTED, Status.EXPIRED})
"""From here nothing leads on but a venue that takes a fill back, changes it, or reports one that was late."""
WORKING = frozenset(Status) - FINAL - {Status.NONE}
PENDING = frozenset({Status.PENDING_CANCEL, Status.PENDING_REPLACE})

S, E = Status, Exec
_AT_VENUE = (S.PENDING_NEW, S.NEW, S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.PENDING_REPLACE, S.PENDING_UNKNOWN)
_RESTING = (S.NEW, S.PARTIALLY_FILLED)


def _table() -> Mapping[tuple[Status, Exec], frozenset[Status]]:
    rows: dict[tuple[Status, Exec], set[Status]] = {}

    def may(before: tuple[Status, ...], step: Exec, *after: Status) -> None:
        for status in before:
            rows.setdefault((status, step), set()).update(after)

    may((S.NONE,), E.PENDING_NEW, S.PENDING_NEW)
    may((S.NONE,), E.NEW, S.NEW)  # held here until its trigger
    may((S.NONE,), E.SUSPENDED, S.SUSPENDED)  # waits for the order that it depends on
    may((S.NONE,), E.REJECTED, S.REJECTED)
    # What a venue says of an order that it has.
    may((S.PENDING_NEW, S.PENDING_UNKNOWN), E.NEW, S.NEW, S.PARTIALLY_FILLED)
    for status in (S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.PENDING_REPLACE):
        may((status,), E.NEW, status)  # the confirmation came late: it changes nothing but that it is known
    may((S.PENDING_NEW, S.PENDING_UNKNOWN, S.PENDING_CANCEL, S.PENDING_REPLACE), E.REJECTED, S.REJECTED)
    may((S.PENDING_NEW, S.PENDING_UNKNOWN), E.UNKNOWN, S.PENDING_UNKNOWN)
    may(_RESTING, E.UNKNOWN, S.PENDING_UNKNOWN)
    may((S.PENDING_CANCEL,), E.UNKNOWN, S.PENDING_CANCEL)
    may((S.PENDING_REPLACE,), E.UNKNOWN, S.PENDING_REPLACE)
    may((S.PENDING_NEW, S.NEW, S.PARTIALLY_FILLED, S.PENDING_UNKNOWN), E.TRADE, S.PARTIALLY_FILLED, S.FILLED)
    may((S.PENDING_CANCEL,), E.TRADE, S.PENDING_CANCEL, S.FILLED)
    may((S.PENDING_REPLACE,), E.TRADE, S.PENDING_REPLACE, S.FILLED)
    for status in FINAL:
        may((status,), E.TRADE, status, S.FILLED)  # a fill that overtook, or came after, the end of its order
    may(_AT_VENUE, E.CANCELLED, S.CANCELLED)
    may(_AT_VENUE, E.EXPIRED, S.EXPIRED)
    may((S.SUSPENDED,), E.CANCELLED, S.CANCELLED)
    may((S.SUSPENDED,), E.EXPIRED, S.EXPIRED)
    # Cancels.
    may((S.PENDING_NEW, *_RESTING, S.PENDING_REPLACE, S.PENDING_UNKNOWN), E.PENDING_CANCEL, S.PENDING_CANCEL)
    back = (S.PENDING_NEW, S.NEW, S.PARTIALLY_FILLED, S.PENDING_UNKNOWN, S.PENDING_REPLACE, S.FILLED)
    may((S.PENDING_CANCEL,), E.CANCEL_REJECTED, *back)
    may((*_RESTING, S.PENDING_NEW, S.PENDING_UNKNOWN), E.CANCEL_REJECTED, *back)
    # Amendments.
    may(_RESTING, E.PENDING_REPLACE, S.PENDING_REPLACE)
    may((S.PENDING_REPLACE,), E.REPLACED, S.NEW, S.PARTIALLY_FILLED, S.FILLED)
    may((S.PENDING_REPLACE,), E.REPLACE_REJECTED, S.NEW, S.PARTIALLY_FILLED, S.FILLED)
    # A cancel may overtake an amendment: both answers then come while it waits for the cancel.
    may((S.PENDING_CANCEL,), E.REPLACED, S.PENDING_CANCEL, S.FILLED)
    may((S.PENDING_CANCEL,), E.REPLACE_REJECTED, S.PENDING_CANCEL, S.FILLED)
    may(_RESTING, E.REPLACED, S.NEW, S.PARTIALLY_FILLED, S.FILLED)  # held here: at once; or by the venue itself
    may((S.SUSPENDED,), E.REPLACED, S.SUSPENDED)
    # What happens here.
    may((S.NEW,), E.TRIGGERED, S.PENDING_NEW)
    may((S.SUSPENDED,), E.RESTATED, S.NEW, S.PENDING_NEW)
    may((S.NEW,), E.RESTATED, S.NEW)  # a trailing stop's price has moved
    may((S.NEW,), E.SUSPENDED, S.SUSPENDED)
    # What a venue does to fills that were reported, at any time.
    everywhere = tuple(Status)[1:]
    for status in everywhere:
        after = {status} | ({S.NEW, S.PARTIALLY_FILLED, S.FILLED} if status in _RESTING else set())
        may((status,), E.TRADE_CANCEL, *after)
        may((status,), E.TRADE_CORRECT, *after)
    return {key: frozenset(after) for key, after in rows.items()}


TRANSITIONS: Mapping[tuple[Status, Exec], frozenset[Status]] = _table()
"""By where an order stands and what happens: where it may stand then."""


class Illegal(AssertionError):
    """A step that no order may take: an invariant broke."""


def check(before: Status, step: Exec, after: Status) -> None:
    """Nothing for a step that there is.

    Raises:
        Illegal: there is no such step.
    """
    if after not in TRANSITIONS.get((before, step), ()):
        raise Illegal(f"{before.name} --{step.name}--> {after.name} is no step of an order")
