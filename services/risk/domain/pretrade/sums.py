"""Sizes of one order, and sums over what is held and works with it, against their limits."""

from __future__ import annotations

from services.risk.domain.pretrade import words
from services.risk.domain.pretrade.accounts import Book
from services.risk.domain.pretrade.amounts import RATE_SCALE, SCALE
from services.risk.domain.pretrade.checks import Found, Plan, Row, Sum
from services.risk.domain.pretrade.limits import Check
from services.risk.domain.pretrade.orders import Order
from services.risk.domain.pretrade.reserving import Change, redo, undo

WITHOUT_PRICE = 10**26
"""What an amount without a price is in any currency: above any limit."""


class Sums:
    """Compares with limits; what it finds is added to a list of checks."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def sizes(self, plan: Plan, order: Order, found: list[Found]) -> bool:
        """Quantity and notional of one order."""
        good = True
        quantity = order.far if order.far > order.quantity else order.quantity
        for row in plan.quantities:
            good &= compare(row, quantity, found)
        if plan.notionals:
            rates = self._book.market.rates
            value = quantity * rates.get(plan.instrument.base, 0) // RATE_SCALE
            for row in plan.notionals:
                good &= compare(row, self.in_unit(row, value), found)
        return good

    def in_unit(self, row: Row, value: int) -> int:
        """An amount of the reporting currency in that of a limit."""
        if row.is_reporting:
            return value
        rate = self._book.market.rates.get(row.currency, 0)
        return value * RATE_SCALE // rate if rate else WITHOUT_PRICE

    def sums(self, plan: Plan, change: Change, found: list[Found]) -> bool:
        """Everything that an order adds to, with the order reserved."""
        good = True
        direction = change.working.direction
        breached: list[tuple[Sum, int]] = []
        for entry in plan.positions:
            row, slot = entry[1], entry[3]
            value = slot.position + slot.buys if direction > 0 else slot.sells - slot.position
            limit = row.limit
            if value <= limit:
                found.append((row, True, limit, value if value > 0 else 0, ""))
            else:
                breached.append((entry, value))
        for entry, leg in plan.currencies:
            row = entry[1]
            value = leg.long if leg.long > leg.short else leg.short
            if not row.is_reporting:
                value = self.in_unit(row, value)
            limit = row.limit
            if value <= limit:
                found.append((row, True, limit, value, ""))
            else:
                breached.append((entry, value))
        for entry in plan.sums:
            value = self._value(entry, direction)
            row = entry[1]
            limit = row.limit
            if value <= limit:
                if value >= 0:
                    found.append((row, True, limit, value, ""))
            else:
                breached.append((entry, value))
        if breached:
            good = self._judge(change, breached, found)
        for row, group in plan.losses:
            loss = group.day_loss
            good &= compare(row, self.in_unit(row, loss if loss > 0 else 0), found)
        for row, group in plan.opens:
            good &= compare(row, group.working * SCALE, found)
        return good

    def _judge(self, change: Change, breached: list[tuple[Sum, int]], found: list[Found]) -> bool:
        """Sums above their limits refuse an order only if they were not as large before it."""
        working = change.working
        terms, asked = working.order, working.asked
        undo(self._book, change)
        before = [self._value(entry, working.direction) for entry, _ in breached]
        redo(self._book, change, terms, asked)
        good = True
        for (entry, value), previous in zip(breached, before, strict=True):
            row, limit = entry[1], entry[1].limit or 0
            passed = value <= previous
            found.append((row, passed, limit, value, "" if passed else words.failed(row, limit, value)))
            good &= passed
        return good

    def _value(self, entry: Sum, direction: int) -> int:
        """What a sum is now, in the limit's unit; -1 if it is not checked."""
        kind, row, group, slot, leg = entry
        if kind is Check.POSITION:
            value = slot.position + slot.buys if direction > 0 else slot.sells - slot.position
            return value if value > 0 else 0
        if kind is Check.CURRENCY_EXPOSURE and leg is not None:
            value = leg.long if leg.long > leg.short else leg.short
        elif kind is Check.GROSS_EXPOSURE:
            value = group.gross
        elif kind is Check.NET_EXPOSURE:
            value = group.net_open(row.currency)
        else:
            gross = group.gross
            if not gross or self.in_unit(row, gross) < row.floor:
                return -1
            return -(-max(each.value for each in group.slots.values()) * SCALE // gross)
        return value if row.is_reporting else self.in_unit(row, value)


def compare(row: Row, value: int, found: list[Found]) -> bool:
    """Compares a value with a limit, both in ten-thousandths of the unit."""
    limit = row.limit or 0
    if value <= limit:
        found.append((row, True, limit, value, ""))
        return True
    found.append((row, False, limit, value, words.failed(row, limit, value)))
    return False
