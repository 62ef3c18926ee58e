"""The book of one account: entries in; cash, positions and earnings out. It is what its entries make it.

`Book.book` takes an entry whose facts are given, works out its postings, and moves the book. A rebuild does the same
with the entries of the journal and finds the same postings, or the books are wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from services.ledger.domain.amounts import BASE_UNIT
from services.ledger.domain.entry import (
    BookingFault,
    Entry,
    Key,
    Kind,
    LedgerKind,
    Posting,
    Purpose,
    Trade,
    unbalanced,
)
from services.ledger.domain.position import CostMethod, Position, deal, replayed
from services.ledger.domain.postings import commission, exchange, other_side, profit

History = Callable[[Key], list[Trade]]
"""The trades of a position that still count, in the order in which they were booked. `book` changes the list."""


@dataclass(slots=True)
class Earnings:
    """What was earned and paid in one currency, as money; positive is profit."""

    realised: int = 0
    commission: int = 0
    financing: int = 0
    adjustment: int = 0
    transferred: int = 0

    @property
    def non_trade(self) -> int:
        """What comes by no price of a fill."""
        return self.commission + self.financing + self.adjustment + self.transferred

    @property
    def net(self) -> int:
        """Profit: everything but what was transferred."""
        return self.realised + self.commission + self.financing + self.adjustment


_EARNED = {
    Purpose.REALISED: "realised",
    Purpose.COMMISSION: "commission",
    Purpose.FINANCING: "financing",
    Purpose.ADJUSTMENT: "adjustment",
    Purpose.DEPOSIT: "transferred",
    Purpose.WITHDRAWAL: "transferred",
}


@dataclass(slots=True)
class Book:
    """One account. Cash is by currency and value date; None is what has settled."""

    account: str
    hedging: bool
    cost_method: CostMethod
    cash: dict[tuple[str, date | None], int] = field(default_factory=dict)
    positions: dict[Key, Position] = field(default_factory=dict)
    earnings: dict[str, Earnings] = field(default_factory=dict)
    movements: dict[Key, list[int]] = field(default_factory=dict)
    last_entry: int = 0
    execution_sequence: int = 0

    def cash_by_currency(self) -> dict[str, int]:
        """All cash, over all value dates."""
        total: dict[str, int] = {}
        for (currency, _), amount in self.cash.items():
            total[currency] = total.get(currency, 0) + amount
        return total

    def settled(self, currency: str, today: date) -> int:
        """Cash of a currency that has settled by a day."""
        return sum(a for (c, day), a in self.cash.items() if c == currency and (day is None or day <= today))

    @property
    def empty(self) -> bool:
        """Whether it has neither positions nor cash."""
        return not self.cash and not self.positions

    def book(self, entry: Entry, history: History) -> None:
        """Works out an entry's postings from its facts, and moves the book.

        Raises:
            BookingFault: it cannot be booked. The book may be half moved: it has to be thrown away.
        """
        match entry.kind:
            case Kind.TRADE | Kind.ALLOCATION:
                assert entry.trade is not None
                entry.postings = self._trade(entry.trade, history)
                if entry.kind is Kind.ALLOCATION:
                    self._note_movement(entry.trade)
            case Kind.TRADE_CANCEL | Kind.TRADE_CORRECT:
                entry.postings = self._correct(entry, history)
            case Kind.ROLL:
                entry.postings = self._roll(entry)
            case _:
                self._absorb(entry.postings)
        if wrong := unbalanced(entry.postings):
            raise BookingFault(f"the postings do not add up to zero in {', '.join(sorted(wrong))}")
        if entry.kind is Kind.ROLL:
            assert entry.trade_date is not None
            self._settle(entry.trade_date)
        if entry.execution_sequence:
            self.execution_sequence = entry.execution_sequence

    def _trade(self, trade: Trade, history: History) -> tuple[Posting, ...]:
        history(trade.key).append(trade)
        lots = self._position(trade.key).lots
        postings: list[Posting] = []
        for each in trade.deals:
            realised = deal(lots, self.cost_method, each.quantity, each.price)
            postings += exchange(trade, each.quantity, each.price, each.value_date)
            postings += profit(trade, realised, each.value_date)
        postings += commission(trade, 1)
        self._absorb(postings)
        return tuple(postings)

    def _correct(self, entry: Entry, history: History) -> tuple[Posting, ...]:
        """A trade goes, or another takes its place: the position becomes as if it had been so from the start."""
        now = entry.trade
        assert now is not None
        trades = history(now.key)
        was = _find(entry, trades)
        _, realised_before = replayed(self.cost_method, _deals(trades))
        place = trades.index(was)
        stands = () if entry.kind is Kind.TRADE_CANCEL else (now,)
        trades[place : place + 1] = stands
        lots, realised_after = replayed(self.cost_method, _deals(trades))
        postings: list[Posting] = []
        for trade, sign in ((was, -1), *((trade, 1) for trade in stands)):
            for each in trade.deals:
                postings += exchange(trade, sign * each.quantity, each.price, each.value_date)
            postings += commission(trade, sign)
        postings += profit(was, realised_after - realised_before, was.deals[-1].value_date)
        self._position(was.key).lots = lots
        self._absorb(postings)
        return tuple(postings)

    def _roll(self, entry: Entry) -> tuple[Posting, ...]:
        postings: list[Posting] = []
        for line in entry.financing:
            base, counter = line.instrument.split("/")
            position = self.positions.get((line.instrument, line.position_id))
            flow = position.flows.get(line.from_date) if position is not None else None
            if flow is None or flow.base != line.quantity:
                raise BookingFault(f"{line.instrument} has no flow of that quantity on {line.from_date}")
            where = (Purpose.ROLL, line.instrument, line.position_id)
            for currency, money in ((base, flow.base * BASE_UNIT), (counter, flow.counter)):
                if money:
                    postings.append(Posting(LedgerKind.POSITION, currency, -money, line.from_date, *where))
                    postings.append(Posting(LedgerKind.POSITION, currency, money, line.to_date, *where))
            if line.amount:
                paid = (counter, line.amount, line.to_date, Purpose.FINANCING, line.instrument, line.position_id)
                postings.append(Posting(LedgerKind.CASH, *paid))
                postings.append(other_side(postings[-1], "financing"))
        self._absorb(postings)
        return tuple(postings)

    def _absorb(self, postings: list[Posting] | tuple[Posting, ...]) -> None:
        for posting in postings:
            if posting.ledger is LedgerKind.CASH:
                place = (posting.currency, posting.value_date)
                self.cash[place] = self.cash.get(place, 0) + posting.amount
                if not self.cash[place]:
                    del self.cash[place]
                earned = self.earnings.setdefault(posting.currency, Earnings())
                name = _EARNED[posting.purpose]
                setattr(earned, name, getattr(earned, name) + posting.amount)
            elif posting.ledger is LedgerKind.POSITION:
                self._flow(posting)
        for key in {(p.instrument, p.position_id) for p in postings if p.ledger is LedgerKind.POSITION}:
            if key in self.positions and self.positions[key].over:
                del self.positions[key]

    def _flow(self, posting: Posting) -> None:
        position = self._position((posting.instrument, posting.position_id))
        if posting.instrument.startswith(posting.currency):
            quantity, rest = divmod(posting.amount, BASE_UNIT)
            if rest:
                raise BookingFault(f"{posting.currency}: finer than a quantity")
            position.move(posting.value_date, quantity, 0)
        else:
            position.move(posting.value_date, 0, posting.amount)

    def _settle(self, trade_date: date) -> None:
        """What has settled by the end of a trade date is one amount a currency."""
        for currency, day in [place for place in self.cash if place[1] is not None and place[1] <= trade_date]:
            amount = self.cash.pop((currency, day)) + self.cash.pop((currency, None), 0)
            if amount:
                self.cash[currency, None] = amount

    def _note_movement(self, trade: Trade) -> None:
        moved = self.movements.setdefault(trade.key, [0, 0])
        for each in trade.deals:
            moved[0] += each.quantity
            moved[1] -= each.quantity * each.price
        if not any(moved):
            del self.movements[trade.key]

    def _position(self, key: Key) -> Position:
        return self.positions.setdefault(key, Position())


def _find(entry: Entry, trades: list[Trade]) -> Trade:
    for trade in reversed(trades):
        if trade.trade_id == entry.cancelled_trade_id:
            return trade
    raise BookingFault(f"no trade {entry.cancelled_trade_id!r} is booked that could be corrected")


def _deals(trades: list[Trade]) -> list[tuple[int, int]]:
    return [(each.quantity, each.price) for trade in trades for each in trade.deals]
