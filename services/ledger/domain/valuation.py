"""What an account is worth in its own currency, at the sides at which it would have to deal.

Money that it has is sold at the bid, money that it owes is bought at the ask: the sign decides the side, in each step
of a cross. Amounts that are told are rounded half even; nothing that is booked ever passes through here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from crossrate.basics.currency import CURRENCIES
from crossrate.basics.pair import DOLLAR, pair_of
from services.ledger.domain.amounts import BASE_UNIT, MONEY_PLACES, PRICE_ONE, divided, rounded
from services.ledger.domain.book import Book
from services.ledger.domain.entry import Key
from services.ledger.domain.position import Position

EURO = "EUR"
RATE_ONE = 10**6
"""The margin rate 1: rates have six decimal places."""
LEVEL_ONE = 10**4
"""The margin level 1."""


@dataclass(frozen=True, slots=True)
class Price:
    """A two-sided price."""

    bid: int
    ask: int

    @property
    def mid(self) -> int:
        """The middle."""
        return (self.bid + self.ask) // 2


Prices = Callable[[str], Price | None]
"""The newest price of an instrument, or None."""


class Unvalued(LookupError):
    """There is no price for something; `instrument` names it."""

    def __init__(self, instrument: str) -> None:
        super().__init__(f"{instrument} has no price")
        self.instrument = instrument


class MarginState(IntEnum):
    """How an account stands to its margin; numbers as in the contract."""

    OK = 1
    CALL = 2
    CLOSE_OUT = 3
    UNKNOWN = 4


def exchanged(amount: int, currency: str, into: str, prices: Prices) -> int:
    """Money of one currency in another, at the side that its sign decides; over the dollar or the euro if it has to be.

    Raises:
        Unvalued: no way has prices.
    """
    if currency == into or not amount:
        return amount
    for way in ((), (DOLLAR,), (EURO,)):
        money, here = amount, currency
        for there in (*way, into):
            step = _step(money, here, there, prices)
            if step is None:
                break
            money, here = step, there
        else:
            return money
    raise Unvalued(str(pair_of(currency, into)))


def _step(amount: int, currency: str, into: str, prices: Prices) -> int | None:
    if currency == into:
        return None
    pair = pair_of(currency, into)
    price = prices(str(pair))
    if price is None or price.bid <= 0:
        return None
    if pair.base == currency:
        return divided(amount * (price.bid if amount > 0 else price.ask), PRICE_ONE)
    return divided(amount * PRICE_ONE, price.ask if amount > 0 else price.bid)


def unrealised(key: Key, position: Position, prices: Prices) -> int:
    """Profit of a position if it were closed now, in counter money.

    Raises:
        Unvalued: its instrument has no price.
    """
    quantity = position.quantity
    if not quantity:
        return position.money
    price = prices(key[0])
    if price is None:
        raise Unvalued(key[0])
    return position.money + quantity * (price.bid if quantity > 0 else price.ask)


@dataclass(frozen=True, slots=True)
class MarginTerms:
    """Margin of a position over its notional in millionths; levels of call and close-out in 1/10,000, a close-out at 0
    never."""

    rate: int
    call_level: int = LEVEL_ONE
    close_out_level: int = LEVEL_ONE // 2


@dataclass(slots=True)
class Worth:
    """What an account is worth; money of its currency."""

    currency: str
    cash: int = 0
    unrealised: int = 0
    margin_used: int = 0
    unvalued: list[str] = field(default_factory=list)

    @property
    def equity(self) -> int:
        """Cash and unrealised profit."""
        return self.cash + self.unrealised

    @property
    def margin_free(self) -> int:
        """Equity less margin used."""
        return self.equity - self.margin_used

    @property
    def margin_level(self) -> int | None:
        """Equity over margin used in 1/10,000, rounded down; None without positions."""
        return self.equity * LEVEL_ONE // self.margin_used if self.margin_used else None

    def state(self, terms: MarginTerms) -> MarginState:
        """How it stands to its margin."""
        if self.unvalued:
            return MarginState.UNKNOWN
        level = self.margin_level
        if level is None:
            return MarginState.OK if self.equity >= 0 else MarginState.CALL
        if terms.close_out_level and level <= terms.close_out_level:
            return MarginState.CLOSE_OUT
        return MarginState.CALL if level < terms.call_level else MarginState.OK


def worth(book: Book, currency: str, terms: MarginTerms, prices: Prices) -> Worth:
    """What a book is worth in its account's currency."""
    worth = Worth(currency)
    for code, amount in sorted(book.cash_by_currency().items()):
        try:
            worth.cash += exchanged(amount, code, currency, prices)
        except Unvalued as missing:
            worth.unvalued.append(missing.instrument)
    for key, position in sorted(book.positions.items()):
        try:
            profit = unrealised(key, position, prices)
            worth.unrealised += exchanged(profit, key[0].split("/")[1], currency, prices)
        except Unvalued as missing:
            worth.unvalued.append(missing.instrument)
    for code, quantity in _margined(book.positions.items()):
        try:
            # As if it were bought: the dearer side, so that margin is never told too low.
            notional = -exchanged(-quantity * BASE_UNIT, code, currency, prices)
            worth.margin_used += divided(notional * terms.rate, RATE_ONE)
        except Unvalued as missing:
            worth.unvalued.append(missing.instrument)
    worth.unvalued = sorted(set(worth.unvalued))
    return worth


def _margined(positions: Iterable[tuple[Key, Position]]) -> list[tuple[str, int]]:
    """Base currency and quantity that take margin: of each instrument the larger of long and short."""
    sides: dict[str, list[int]] = {}
    for (instrument, _), position in positions:
        long_short = sides.setdefault(instrument, [0, 0])
        quantity = position.quantity
        long_short[quantity < 0] += abs(quantity)
    return [(instrument.split("/")[0], max(both)) for instrument, both in sorted(sides.items()) if max(both)]


def told(money: int, currency: str) -> int:
    """Money rounded half even to the minor units of its currency."""
    return rounded(money, min(CURRENCIES[currency].minor_units, MONEY_PLACES))
