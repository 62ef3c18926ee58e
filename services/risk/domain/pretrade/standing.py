"""How an account stands to its margin: what it is worth at the sides at which it would deal, and when it is called.

Everything is by quotes that are LIVE and young; with one that is not nothing can be told, and nothing is decided. The
equity is what the checks before a trade have, less the half of the spread that closing would cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise

from crossrate.basics.pair import pair_of
from services.risk.domain.pretrade.accounts import Account
from services.risk.domain.pretrade.amounts import PRICE_SCALE, SCALE
from services.risk.domain.pretrade.authorise import MARGIN_SCALE
from services.risk.domain.pretrade.market import Instrument, Market

_WAYS: tuple[tuple[str, ...], ...] = ((), ("USD",), ("EUR",))


class State(IntEnum):
    """What was decided, with the contract's numbers."""

    OK = 1
    CALL = 2
    CLOSE_OUT = 3


class Untold(LookupError):
    """It cannot be told how an account stands; the message says why."""


@dataclass(slots=True)
class Worth:
    """What an account is worth, in ten-thousandths of its currency.

    Attributes:
        equity: funds and the profit of all fills.
        used: margin of its positions.
        by_instrument: what of `used` each instrument takes, rounded down.
    """

    equity: int = 0
    used: int = 0
    by_instrument: dict[str, int] = field(default_factory=dict)

    @property
    def level(self) -> int | None:
        """Equity over margin used in ten-thousandths, rounded down; None without positions."""
        return self.equity * SCALE // self.used if self.used else None


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels of an account in ten-thousandths; a close-out at 0 never comes.

    `hysteresis` is how far beyond a level, in ten-thousandths of it, an account has to be to be let go on.
    """

    call: int
    close_out: int
    hysteresis: int

    @property
    def release(self) -> int:
        """The level at which a close-out is over."""
        return self.close_out + self.close_out * self.hysteresis // SCALE

    def state(self, before: State, worth: Worth) -> State:
        """The state after a look."""
        level = worth.level
        if level is None:
            return State.OK if worth.equity >= 0 else State.CALL
        if self.close_out and level <= self.close_out:
            return State.CLOSE_OUT
        if before is State.CLOSE_OUT and level < self.release:
            return State.CLOSE_OUT
        call = self.call if before is State.OK else self.call + self.call * self.hysteresis // SCALE
        return State.CALL if level < call else State.OK

    def excess(self, worth: Worth) -> int:
        """How much of the margin used has to go until the close-out is over, in ten-thousandths of the currency."""
        if worth.equity <= 0:
            return worth.used
        return worth.used - worth.equity * SCALE // self.release if self.release else 0


def worth_of(account: Account, market: Market, now_ns: int) -> Worth:
    """What an account is worth.

    Raises:
        Untold: a quote is not LIVE, the ledger is not heard, or trading's state is not known.
    """
    if not account.known:
        raise Untold("trading has not told the account's state")
    if not account.listed or account.funds is None:
        raise Untold("the ledger has not told the account's funds")
    worth, rates = Worth(), _Rates(market, account.currency, now_ns)
    for currency, amount in account.funds.items():
        worth.equity += rates.exchanged(amount, currency)
    sides: dict[str, list[int]] = {}
    by_position: dict[tuple[str, str], list[int]] = {}
    for (instrument, position_id, _), quantity, counter in account.held():
        sums = by_position.setdefault((instrument, position_id), [0, 0])
        sums[0] += quantity
        sums[1] += counter
    for (name, _), (quantity, counter) in by_position.items():
        made = market.instruments[name]
        if quantity:
            rates.live(made)
            counter += quantity * (made.bid if quantity > 0 else made.ask)
            sides.setdefault(name, [0, 0])[quantity < 0] += abs(quantity)
        worth.equity += rates.exchanged(counter, made.counter) // PRICE_SCALE
    for name, both in sides.items():
        # As if it were bought: the dearer side, so that margin is never told too low.
        notional = -rates.exchanged(-max(both), market.instruments[name].base)
        used = notional * account.margin_rate // MARGIN_SCALE
        worth.by_instrument[name] = used
        worth.used += used
    return worth


class _Rates:
    """Money of other currencies in one: what one has at the bid, what one owes at the ask, in each step of a cross."""

    def __init__(self, market: Market, into: str, now_ns: int) -> None:
        self._market = market
        self._into = into
        self._now_ns = now_ns

    def live(self, instrument: Instrument) -> Instrument:
        """An instrument whose quote is LIVE.

        Raises:
            Untold: it is not.
        """
        if why := self._market.why_not_live(instrument, self._now_ns):
            raise Untold(f"{instrument.name}: {why}")
        return instrument

    def exchanged(self, amount: int, currency: str) -> int:
        """Rounded down, so that nothing is worth more than it is.

        Raises:
            Untold: no way has LIVE quotes.
        """
        if currency == self._into or not amount:
            return amount
        for way in _WAYS:
            steps = (currency, *way, self._into)
            if len(set(steps)) == len(steps) and all(self._pair(*step) for step in pairwise(steps)):
                for here, there in pairwise(steps):
                    amount = self._step(amount, here, there)
                return amount
        raise Untold(f"{currency} has no way to {self._into} by quotes")

    def _pair(self, here: str, there: str) -> Instrument | None:
        found = self._market.instruments.get(str(pair_of(here, there)))
        return found if found is not None and found.bid > 0 else None

    def _step(self, amount: int, here: str, there: str) -> int:
        made = self._pair(here, there)
        assert made is not None, "the way was looked at"
        self.live(made)
        if made.base == here:
            return amount * (made.bid if amount > 0 else made.ask) // PRICE_SCALE
        return amount * PRICE_SCALE // (made.ask if amount > 0 else made.bid)
