"""Random steps on a book and on the naive one, compared after each: `python -m tests.unit.ledger.steps --seed 1`."""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass, field
from datetime import date, timedelta

from services.ledger import messages
from services.ledger.domain.book import Book
from services.ledger.domain.entry import Deal, Entry, Key, Kind, Purpose, Trade, unbalanced
from services.ledger.domain.position import CostMethod
from services.ledger.domain.postings import transfer
from tests.unit.ledger.naive import Ledger

FIRST_DAY = date(2026, 11, 30)
PAIRS = ("EUR/USD", "USD/JPY")


@dataclass
class Machine:
    """A book, its trades, the naive ledger and every entry."""

    average: bool = False
    hedging: bool = False
    account: str = "alpha"
    number: int = 0
    entries: list[Entry] = field(default_factory=list)
    history: dict[Key, list[Trade]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.book = self._empty()
        self.naive = Ledger(self.average)

    def _empty(self) -> Book:
        return Book(self.account, self.hedging, CostMethod.AVERAGE if self.average else CostMethod.FIFO)

    def _trade(self, instrument: str, position_id: str, deals: list[tuple[int, int, int]], commission: int) -> Trade:
        self.number += 1
        made = tuple(Deal(quantity, price, FIRST_DAY + timedelta(days=day)) for quantity, price, day in deals)
        currency = "USD" if commission else ""
        return Trade(f"t{self.number}", "venue:sim", instrument, position_id, made, None, commission, currency)

    def _book(self, kind: Kind, **facts: object) -> Entry:
        entry = Entry(self.account, kind, str(len(self.entries) + 1), len(self.entries), **facts)  # type: ignore[arg-type]
        self.book.book(entry, lambda key: self.history.setdefault(key, []))
        entry.sequence = self.book.last_entry = len(self.entries) + 1
        assert not unbalanced(entry.postings)
        self.entries.append(entry)
        return entry

    def trade(self, instrument: str, position_id: str, deals: list[tuple[int, int, int]], commission: int = 0) -> None:
        """A fill of one deal or two."""
        trade = self._trade(instrument, position_id if self.hedging else "", deals, commission)
        self._book(Kind.TRADE, trade=trade)
        self.naive.trades.append(trade)

    def cancel(self, which: int) -> None:
        """One of the fills is taken back."""
        trade = self.naive.trades[which % len(self.naive.trades)]
        self._book(Kind.TRADE_CANCEL, trade=trade, cancelled_trade_id=trade.trade_id)
        self.naive.cancel(trade.trade_id)

    def correct(self, which: int, quantity: int, price: int) -> None:
        """One of the fills is changed."""
        was = self.naive.trades[which % len(self.naive.trades)]
        now = self._trade(*was.key, [(quantity, price, 0)], 0)
        self._book(Kind.TRADE_CORRECT, trade=now, cancelled_trade_id=was.trade_id)
        self.naive.correct(was.trade_id, now)

    def move(self, currency: str, amount: int) -> None:
        """Money comes in or goes out."""
        purpose = Purpose.DEPOSIT if amount > 0 else Purpose.WITHDRAWAL
        kind = Kind.DEPOSIT if amount > 0 else Kind.WITHDRAWAL
        self._book(kind, postings=transfer(currency, amount, FIRST_DAY, purpose, "bank"))
        self.naive.moved[currency] = self.naive.moved.get(currency, 0) + amount

    def check(self) -> None:
        """The book and the naive one agree; so does the book with its own bytes."""
        keys = {trade.key for trade in self.naive.trades} | set(self.book.positions)
        realised: dict[str, int] = {}
        for key in keys:
            position = self.book.positions.get(key)
            quantity, money = (position.quantity, position.money) if position else (0, 0)
            assert quantity == self.naive.quantity(key)
            mine = self.naive.paid(key) - money  # what is not open any more was realised, to the last unit
            assert abs(mine - self.naive.realised(key)) <= (len(self.entries) if self.average else 0)
            counter = key[0].split("/")[1]
            realised[counter] = realised.get(counter, 0) + mine
            flows = position.flows if position else {}
            assert {day: flow.base for day, flow in flows.items() if flow.base} == self.naive.flows(key)
            assert sum(flow.counter for flow in flows.values()) == money
        commissions = sum(trade.commission for trade in self.naive.trades)
        for currency in {*realised, *self.naive.moved, *self.book.earnings}:
            earned = self.book.earnings.get(currency)
            if earned is not None:
                assert earned.realised == realised.get(currency, 0)
                assert earned.commission == (-commissions if currency == "USD" else 0)
                assert earned.transferred == self.naive.moved.get(currency, 0)
                assert self.book.cash_by_currency().get(currency, 0) == earned.realised + earned.non_trade

    def check_rebuilt(self, until: int | None = None) -> bytes:
        """Entries read back from their messages make the same postings and a book of the same bytes."""
        book, history = self._empty(), {}
        for entry in self.entries[:until]:
            again = messages.entry_of(messages.entry_message(entry))
            posted = again.postings
            book.book(again, lambda key: history.setdefault(key, []))
            assert again.postings == posted
            book.last_entry = again.sequence
        rebuilt = messages.encoded(book)
        if until is None:
            assert rebuilt == messages.encoded(self.book)
            assert messages.encoded(messages.book_of(messages.book_message(self.book))) == rebuilt
        return rebuilt

    def step(self, chance: random.Random) -> None:
        """One random step."""
        kind = chance.random()
        if kind < 0.08 and self.naive.trades:
            self.cancel(chance.randrange(1 << 16))
        elif kind < 0.16 and self.naive.trades:
            self.correct(
                chance.randrange(1 << 16), chance.choice((-1, 1)) * chance.randint(1, 9), chance.randint(1, 99)
            )
        elif kind < 0.22:
            self.move(chance.choice(("USD", "EUR", "JPY")), chance.choice((-1, 1)) * chance.randint(1, 10**9))
        else:
            count = 2 if kind > 0.93 else 1
            deals = [
                (chance.choice((-1, 1)) * chance.randint(1, 9), chance.randint(1, 99), chance.randint(0, 3))
                for _ in range(count)
            ]
            self.trade(chance.choice(PAIRS), chance.choice("ab"), deals, chance.choice((0, 0, chance.randint(1, 99))))


def run(steps: int, seed: int, life: int = 40) -> int:
    """Runs so many steps on machines that live `life` steps each, and returns how many entries were made."""
    chance, made = random.Random(seed), 0
    while made < steps:
        machine = Machine(average=chance.random() < 0.5, hedging=chance.random() < 0.5)
        marks: list[tuple[int, bytes]] = []
        for _ in range(min(life, steps - made)):
            machine.step(chance)
            machine.check()
            if chance.random() < 0.1:
                marks.append((len(machine.entries), messages.encoded(machine.book)))
        machine.check_rebuilt()
        for until, encoded in marks:
            assert machine.check_rebuilt(until) == encoded
        made += len(machine.entries)
    return made


def main() -> None:
    """Runs the steps that the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    begun = time.monotonic()
    made = run(given.steps, given.seed)
    print(f"{made} steps with seed {given.seed} in {time.monotonic() - begun:.0f} s: the books agree")


if __name__ == "__main__":
    main()
