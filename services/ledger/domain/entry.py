"""Entries of the books: what happened, and the postings that follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

Key = tuple[str, str]
"""A position: its instrument and, in a hedging account, its id."""


class LedgerKind(IntEnum):
    """Which of an account's ledgers; numbers as in the contract."""

    CASH = 1
    POSITION = 2
    CLEARING = 3


class Purpose(IntEnum):
    """What a posting is for; numbers as in the contract."""

    DEAL = 1
    REALISED = 2
    COMMISSION = 3
    FINANCING = 4
    DEPOSIT = 5
    WITHDRAWAL = 6
    ROLL = 7
    ADJUSTMENT = 8


class Kind(IntEnum):
    """Why an entry was made; numbers as in the contract."""

    TRADE = 1
    TRADE_CANCEL = 2
    TRADE_CORRECT = 3
    DEPOSIT = 4
    WITHDRAWAL = 5
    ROLL = 6
    REVERSAL = 7
    ADJUSTMENT = 8
    ALLOCATION = 9


TRADES = (Kind.TRADE, Kind.TRADE_CANCEL, Kind.TRADE_CORRECT, Kind.ALLOCATION)


class BookingFault(ValueError):
    """A fact that cannot be booked; the words say why."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One line: money of one currency at one value date, from the account's view."""

    ledger: LedgerKind
    currency: str
    amount: int
    value_date: date
    purpose: Purpose
    instrument: str = ""
    position_id: str = ""
    counterparty: str = ""


@dataclass(frozen=True, slots=True)
class Deal:
    """One exchange: quantity of base with its sign, at a price, on a value date."""

    quantity: int
    price: int
    value_date: date


@dataclass(frozen=True, slots=True)
class Trade:
    """What was dealt at once: one deal, of a swap two, the near leg first. A positive commission is paid."""

    trade_id: str
    counterparty: str
    instrument: str
    position_id: str
    deals: tuple[Deal, ...]
    trade_date: date | None = None
    commission: int = 0
    commission_currency: str = ""

    @property
    def key(self) -> Key:
        """The position that it changes."""
        return self.instrument, self.position_id


@dataclass(frozen=True, slots=True)
class FinancingLine:
    """Financing of one flow of a position from one value date to a later one; points as a price, amount as money."""

    instrument: str
    position_id: str
    quantity: int
    from_date: date
    to_date: date
    points: int
    amount: int
    source: str

    @property
    def days(self) -> int:
        """Calendar days between the two dates."""
        return (self.to_date - self.from_date).days


@dataclass(slots=True)
class Entry:
    """One entry; `sequence` is 0 until it is committed."""

    account: str
    kind: Kind
    reference: str
    time_ns: int
    postings: tuple[Posting, ...] = ()
    trade: Trade | None = None
    cancelled_trade_id: str = ""
    execution_sequence: int = 0
    financing: tuple[FinancingLine, ...] = ()
    trade_date: date | None = None
    reverses: int = 0
    entered_by: str = ""
    approved_by: str = ""
    text: str = ""
    sequence: int = field(default=0)


def unbalanced(postings: Iterable[Posting]) -> dict[str, int]:
    """Currencies whose postings do not add up to zero, with their sums."""
    sums: dict[str, int] = {}
    for posting in postings:
        sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount
    return {currency: total for currency, total in sums.items() if total}


def reverse(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """The same postings with the opposite sign."""
    return tuple(
        Posting(p.ledger, p.currency, -p.amount, p.value_date, p.purpose, p.instrument, p.position_id, p.counterparty)
        for p in postings
    )
