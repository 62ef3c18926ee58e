"""Books as one would keep them by hand: exact fractions, every answer worked out anew from all trades."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from services.ledger.domain.entry import Key, Trade


@dataclass
class Ledger:
    """Trades that count, in order, and money that moved."""

    average: bool
    trades: list[Trade] = field(default_factory=list)
    moved: dict[str, int] = field(default_factory=dict)

    def cancel(self, trade_id: str) -> None:
        """Takes a trade out."""
        self.trades = [trade for trade in self.trades if trade.trade_id != trade_id]

    def correct(self, trade_id: str, now: Trade) -> None:
        """Puts another in its place."""
        self.trades = [now if trade.trade_id == trade_id else trade for trade in self.trades]

    def quantity(self, key: Key) -> int:
        """What is open."""
        return sum(each.quantity for trade in self.trades if trade.key == key for each in trade.deals)

    def paid(self, key: Key) -> int:
        """Counter money received less paid, open or not."""
        deals = (each for trade in self.trades if trade.key == key for each in trade.deals)
        return -sum(each.quantity * each.price for each in deals)

    def realised(self, key: Key) -> Fraction:
        """Profit of what was closed, unit by unit."""
        profit, units = Fraction(0), []
        for trade in (trade for trade in self.trades if trade.key == key):
            for each in trade.deals:
                sign = 1 if each.quantity > 0 else -1
                for _ in range(abs(each.quantity)):
                    if units and units[0][0] != sign:
                        held, cost = units.pop(0)
                        profit += held * (each.price - cost)
                    else:
                        units.append((sign, Fraction(each.price)))
                if self.average and units:
                    mean = sum(cost for _, cost in units) / len(units)
                    units = [(held, mean) for held, _ in units]
        return profit

    def flows(self, key: Key) -> dict[date, int]:
        """Units of the base currency by value date."""
        found: dict[date, int] = {}
        for trade in (trade for trade in self.trades if trade.key == key):
            for each in trade.deals:
                found[each.value_date] = found.get(each.value_date, 0) + each.quantity
        return {day: units for day, units in found.items() if units}
