"""What the simulated exchange does wrong when it is told to: by its seed, the same for the same order and deal."""

from __future__ import annotations

from crossrate.exchange.chance import Chance, Purpose
from crossrate.exchange.event import Event, EventKind, Reason
from crossrate.exchange.order import NewOrder, OrderType, SelfMatchPrevention, Side, TimeInForce
from services.broker.venues.declared import Faults

REPEATED = 1 << 40
"""Added to the number of a deal that is told a second time."""
HAND = 1 << 40
"""Added to the number of an order beside which one is placed by hand."""


class SimFaults:
    """See the module."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self._faults = faults
        self._chance = Chance(seed)
        self.any = faults.any

    def _strikes(self, rate: float, purpose: Purpose, event: Event) -> bool:
        return rate > 0.0 and self._chance.uniform(purpose, event.id, event.execution) < rate

    def told(self, event: Event) -> list[Event]:
        """What we are told of an event."""
        faults = self._faults
        if event.kind is EventKind.FILLED:
            if self._strikes(faults.lose_both, Purpose.LOSE_BOTH, event):
                return []
            if self._strikes(faults.lose_report, Purpose.LOSE_REPORT, event):
                return []
            if self._strikes(faults.alter_quantity, Purpose.ALTER_QUANTITY, event):
                event = event._replace(quantity=2 * event.quantity)
            if self._strikes(faults.alter_price, Purpose.ALTER_PRICE, event):
                event = event._replace(price=event.price + 1)
            if self._strikes(faults.repeat_report, Purpose.REPEAT_REPORT, event):
                return [event, event._replace(execution=event.execution + REPEATED)]
        elif event.kind in (EventKind.CANCELLED, EventKind.EXPIRED):
            if self._strikes(faults.lose_end, Purpose.LOSE_END, event):
                return []
        elif self._resting(event) and self._strikes(faults.false_end, Purpose.FALSE_END, event):
            return [event, event._replace(kind=EventKind.CANCELLED, leaves=0, reason=Reason.MASS_CANCEL)]
        return [event]

    def copied(self, event: Event) -> Event | None:
        """What the drop copy has of a deal."""
        faults = self._faults
        if self._strikes(faults.lose_both, Purpose.LOSE_BOTH, event):
            return None
        if self._strikes(faults.lose_copy, Purpose.LOSE_COPY, event):
            return None
        if self._strikes(faults.alter_side, Purpose.ALTER_SIDE, event):
            return event._replace(side=Side(event.side).other)
        return event

    def by_hand(self, event: Event, owner: int) -> NewOrder | None:
        """The order that somebody places by hand beside one that rests."""
        if not self._resting(event) or not self._strikes(self._faults.by_hand, Purpose.BY_HAND, event):
            return None
        side = Side(event.side)
        return NewOrder(
            id=HAND + event.id,
            owner=owner,
            side=side,
            quantity=event.quantity,
            type=OrderType.LIMIT,
            price=max(1, event.price + (-1 if side is Side.BUY else 1)),
            time_in_force=TimeInForce.GOOD_TILL_CANCEL,
            self_match_prevention=SelfMatchPrevention.CANCEL_AGGRESSING,
        )

    @staticmethod
    def _resting(event: Event) -> bool:
        """Whether an order of a client's was accepted that has a limit."""
        return event.kind is EventKind.ACCEPTED and event.id < HAND and event.price > 0 and event.leaves > 0
