"""What a venue has of an order, what its fills add up to, and a log that says nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from crossrate.api.trading.v1 import order_pb2


@dataclass
class AtVenue:
    """An order as the venue has it."""

    order: order_pb2.Order
    quantity: int
    filled: int = 0
    alive: bool = True


@dataclass
class Naive:
    """What an order should be: the fills that count, added up."""

    fills: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def cum(self) -> int:
        """Filled."""
        return sum(quantity for quantity, _ in self.fills.values())

    @property
    def value(self) -> int:
        """Paid."""
        return sum(quantity * price for quantity, price in self.fills.values())


class Silent:
    """A log that says nothing."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: None
