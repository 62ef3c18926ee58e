"""A currency pair, named the way the market names it."""

from __future__ import annotations

from typing import NamedTuple

from crossrate.basics.currency import CURRENCIES, currency_of

DOLLAR = "USD"


class Pair(NamedTuple):
    """Base and counter currency: a price is how many units of `counter` one unit of `base` costs."""

    base: str
    counter: str

    def __str__(self) -> str:
        return f"{self.base}/{self.counter}"

    @property
    def currencies(self) -> frozenset[str]:
        """Both codes."""
        return frozenset(self)

    @property
    def inverse(self) -> Pair:
        """The pair with its sides exchanged."""
        return Pair(self.counter, self.base)


def pair_of(one: str, other: str) -> Pair:
    """The pair of two currencies in the market's order, whichever comes first here.

    Raises:
        KeyError: one of them is none of the platform's currencies.
        ValueError: they are the same.
    """
    if one == other:
        raise ValueError(f"{one}/{other} is no pair")
    if currency_of(one).rank < currency_of(other).rank:
        return Pair(one, other)
    return Pair(other, one)


def parse_pair(name: str) -> Pair:
    """A pair from "EUR/USD", in the order in which it is written.

    Raises:
        ValueError: it is not two of the platform's currencies with a slash between.
    """
    base, slash, counter = name.partition("/")
    if not slash or base not in CURRENCIES or counter not in CURRENCIES or base == counter:
        raise ValueError(f"{name!r} is no pair of the platform's currencies; write it as EUR/USD")
    return Pair(base, counter)
