"""How much of each limit is used now by what is held and works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.risk.domain.pretrade.accounts import Account, Book
from services.risk.domain.pretrade.amounts import RATE_SCALE, SCALE
from services.risk.domain.pretrade.authorise import MARGIN_SCALE, Authoriser
from services.risk.domain.pretrade.groups import Group
from services.risk.domain.pretrade.limits import Check, Limit, Limits

UNKNOWN = 10**26
"""A value that cannot be told for want of a price: above any limit."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is used: whose, of which instrument or currency, in ten-thousandths of the limit's unit."""

    limit: Limit
    scope: str
    name: str
    value: int
    allowed: int

    @property
    def share(self) -> float:
        """Value over limit; a limit of nothing is used up by anything."""
        return self.value / self.allowed if self.allowed > 0 else float(self.value > self.allowed) * 1e9


def usages(book: Book, authoriser: Authoriser, limits: Limits, scope: str = "") -> list[Usage]:
    """The usage of every limit that can be used up by what is held and works, the fullest first.

    Args:
        limits: those to look at; not necessarily the ones that hold.
        scope: only this one ("account:alpha"); empty for all.
    """
    found = [each for group, account in _groups(book) for each in _of(book, authoriser, limits, group, account)]
    if scope:
        found = [each for each in found if each.scope == scope]
    return sorted(found, key=lambda each: (-each.share, each.scope, each.limit.kind, each.name))


def _groups(book: Book) -> Iterator[tuple[Group, Account | None]]:
    for group in book.groups.values():
        yield group.fresh(), None
    for account in book.accounts.values():
        if account.known or account.listed:
            yield account.group.fresh(), account


def _of(book: Book, authoriser: Authoriser, limits: Limits, group: Group, account: Account | None) -> Iterator[Usage]:
    scope, _, name = group.scope.partition(":")
    rates = book.market.rates

    def money(limit: Limit, value: int) -> int:
        rate = rates.get(limit.unit, 0)
        return value * RATE_SCALE // rate if rate else UNKNOWN

    yield from _positions(limits, group, scope, name)
    for kind in (
        Check.GROSS_EXPOSURE,
        Check.NET_EXPOSURE,
        Check.DAILY_LOSS,
        Check.OPEN_ORDERS,
        Check.CURRENCY_EXPOSURE,
    ):
        limit = limits.of(kind, scope, name)
        if limit is None:
            continue
        if kind is Check.CURRENCY_EXPOSURE:
            for currency, leg in group.legs.items():
                if leg.long or leg.short:
                    yield Usage(limit, group.scope, currency, money(limit, max(leg.long, leg.short)), limit.value)
            continue
        if kind is Check.OPEN_ORDERS:
            value = group.working * SCALE
        elif kind is Check.DAILY_LOSS:
            value = money(limit, max(group.day_loss, 0))
        else:
            value = money(limit, group.gross if kind is Check.GROSS_EXPOSURE else group.net_open(limit.unit))
        yield Usage(limit, group.scope, "", value, limit.value)
    limit = limits.of(Check.CONCENTRATION, scope, name)
    if limit is not None and group.gross and money(limit, group.gross) >= limit.floor:
        top = max(group.slots.values(), key=lambda slot: slot.value)
        yield Usage(limit, group.scope, top.instrument.name, -(-top.value * SCALE // group.gross), limit.value)
    margin = limits.of(Check.MARGIN, scope, name)
    rate = rates.get(account.currency, 0) if account is not None else 0
    if margin is not None and account is not None and rate:
        equity = authoriser.equity(account, rate)
        used = group.gross * account.margin_rate // MARGIN_SCALE * RATE_SCALE // rate
        if equity is not None:
            yield Usage(margin, group.scope, "", used, equity * margin.value // SCALE)


def _positions(limits: Limits, group: Group, scope: str, name: str) -> Iterator[Usage]:
    for slot in group.slots.values():
        if not slot.worst:
            continue
        instrument = slot.instrument.name
        limit = limits.of(Check.POSITION, scope, name, instrument)
        if limit is not None:
            yield Usage(limit, group.scope, instrument, slot.worst, limit.value)
        if scope == "platform":
            whole = limits.of(Check.POSITION, "instrument", instrument)
            if whole is not None:
                yield Usage(whole, f"instrument:{instrument}", instrument, slot.worst, whole.value)


def of_limits(found: Iterable[Usage], wanted: Iterable[Limit]) -> list[Usage]:
    """The usages of some limits, breached ones first."""
    keys = {limit.key for limit in wanted}
    return [each for each in found if each.limit.key in keys]
