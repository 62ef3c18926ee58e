"""What positions are exposed to, by pair and by currency.

An option is worth V = Δ·S + (V − Δ·S): to first order it is an amount Δ of the base currency and the rest, V − Δ·S, of
the counter currency. A forward is the discounted amounts of its two legs, which is the same with Δ = e^{−r_f·T}. So the
amounts of all currencies, at today's rates, add up to the worth of the book.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import vanilla
from crossrate.kernel.revalue import FORWARD, Markets
from services.risk.domain.book import Book
from services.risk.domain.refusal import Refused

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Owners:
    """Whose positions they are: `place` names for each position one of `accounts`."""

    accounts: tuple[str, ...]
    place: NDArray[np.int64]

    @classmethod
    def of(cls, accounts: tuple[str, ...], place: NDArray, count: int) -> Owners | None:
        """Owners of a request's arrays for `count` positions; None if there are no accounts.

        Raises:
            Refused: the array's length does not fit, or a place has no account.
        """
        if not accounts and not len(place):
            return None
        if len(place) not in (1, count):
            raise Refused("account", f"has {len(place)} elements for {count} positions: give 1 or {count}")
        beyond = place >= len(accounts)
        if beyond.any():
            i = int(beyond.argmax())
            raise Refused(f"account[{i}]", f"is {place[i]}; there are {len(accounts)} accounts, counted from 0")
        return cls(accounts, np.broadcast_to(place, (count,)).astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Exposures:
    """Exposures of several groups of positions, a row each.

    Attributes:
        currencies: codes of the columns of `amount`, in order.
        positions: how many, shape (groups, markets).
        delta, gamma, vega, value: in the pairs' own currencies, shape (groups, markets).
        reporting_delta, reporting_value: in the reporting currency, shape (groups, markets).
        touched: whether a position is on a pair of the currency, shape (groups, currencies).
        amount: of each currency, shape (groups, currencies).
        reporting_amount: the same in the reporting currency.
        net_open: shape (groups,), the greater of all long and all short amounts but the reporting currency's own.
    """

    currencies: tuple[str, ...]
    positions: NDArray[np.int64]
    delta: Array
    gamma: Array
    vega: Array
    value: Array
    reporting_delta: Array
    reporting_value: Array
    touched: NDArray[np.bool_]
    amount: Array
    reporting_amount: Array
    net_open: Array


def exposures(book: Book, markets: Markets, owners: Owners | None) -> list[Exposures]:
    """The exposures of the whole book, and of each account if there are any: one or two tables."""
    found = sensitivities(book, markets)
    whole = np.zeros(book.count, np.int64)
    tables = [_grouped(book, markets, found, whole, 1)]
    if owners is not None:
        tables.append(_grouped(book, markets, found, owners.place, len(owners.accounts)))
    return tables


def sensitivities(book: Book, markets: Markets) -> tuple[Array, ...]:
    """Delta, gamma, vega and worth of each position, in its pair's counter currency."""
    own = book.positions
    spot = markets.spot[own.market]
    delta, gamma, vega, value = np.zeros((4, book.count))
    options = own.kind != FORWARD
    if options.any():
        columns = (spot, own.strike, own.time, own.volatility, own.domestic_rate, own.foreign_rate)
        greeks = vanilla.greeks(own.kind[options], *(each[options] for each in columns))
        delta[options], gamma[options], vega[options] = greeks.delta, greeks.gamma, greeks.vega
        value[options] = greeks.price
    forwards = ~options
    time = own.time[forwards]
    delta[forwards] = np.exp(-own.foreign_rate[forwards] * time)
    paid = own.strike[forwards] * np.exp(-own.domestic_rate[forwards] * time)
    value[forwards] = delta[forwards] * spot[forwards] - paid
    return tuple(own.notional * each for each in (delta, gamma, vega, value))


def _grouped(
    book: Book, markets: Markets, found: tuple[Array, ...], place: NDArray[np.int64], groups: int
) -> Exposures:
    width = len(book.pairs)
    cell = place * width + book.positions.market

    def table(weights: Array | None = None) -> NDArray:
        return np.bincount(cell, weights, groups * width).reshape(groups, width)

    positions = table()
    delta, gamma, vega, value = (table(each) for each in found)
    rest = value - delta * markets.spot
    base_worth, rest_worth = delta * markets.spot * markets.conversion, rest * markets.conversion
    codes = tuple(sorted({code for pair in book.pairs for code in pair}))
    is_base = np.array([[pair.base == code for code in codes] for pair in book.pairs], np.float64)
    is_counter = np.array([[pair.counter == code for code in codes] for pair in book.pairs], np.float64)
    worth = base_worth @ is_base + rest_worth @ is_counter
    foreign = worth[:, [code != book.reporting for code in codes]]
    long, short = foreign.clip(min=0.0).sum(axis=1), -foreign.clip(max=0.0).sum(axis=1)
    return Exposures(
        currencies=codes,
        positions=positions,
        delta=delta,
        gamma=gamma,
        vega=vega,
        value=value,
        reporting_delta=base_worth,
        reporting_value=value * markets.conversion,
        touched=positions @ (is_base + is_counter) > 0,
        amount=delta @ is_base + rest @ is_counter,
        reporting_amount=worth,
        net_open=np.maximum(long, short),
    )
