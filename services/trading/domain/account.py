"""An account: its orders that work, its positions, and the steps that change them.

Every step is told to the `Recorder` at once, with the order as it is after it; so are the instructions for venues. What
a step causes in other orders of a list follows in `lists`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Protocol

from services.trading.domain import amounts
from services.trading.domain.lifecycle import PENDING, Exec, Reason, Status
from services.trading.domain.order import Amendment, Order, OrderType, Terms, TimeInForce

RECENT_MAX = 1000
"""Ids of orders that an account remembers."""


class Instruct(IntEnum):
    """What a venue is to do, as broker names it."""

    NEW = 1
    CANCEL = 2
    REPLACE = 3
    STATUS = 4


@dataclass(frozen=True, slots=True)
class Deal:
    """A fill: the amounts that count. `image` is the fill as the venue told it."""

    venue: str
    venue_exec_id: str
    quantity: int
    price: int
    far_quantity: int = 0
    far_price: int = 0
    position_id: str = ""
    image: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a report tells besides the order."""

    exec_type: Exec
    cause: str = ""
    reason: Reason | None = None
    text: str = ""
    deal: Deal | None = None
    exec_ref_id: str = ""
    admission: Any = None
    """What risk said, opaque here."""


class Recorder(Protocol):
    """Where steps and instructions go, in their order."""

    def report(self, account: Account, order: Order, step: Step) -> None:
        """A step was taken; the order is as it is after it."""
        ...

    def instruct(self, order: Order, kind: Instruct) -> None:
        """A venue has to do something; the order is as it is to be."""
        ...

    def position(self, account: Account, key: tuple[str, str], strategy: str) -> None:
        """A position has changed, by an order of a strategy; "" for none."""
        ...


class Refused(Exception):
    """What was asked for cannot be done with the order as it stands."""

    def __init__(self, status: Status, words: str) -> None:
        super().__init__(words)
        self.status = status


class Account:
    """The state of one account at `sequence`, its newest report."""

    def __init__(self, name: str, sequence: int = 0) -> None:
        self.name = name
        self.sequence = sequence
        self.orders: dict[str, Order] = {}
        self.by_client: dict[str, Order] = {}
        self.children: dict[str, list[Order]] = {}
        """By list, or by the order that they protect: those that depend on each other."""
        self.reducing: dict[str, Order] = {}
        """Orders that only reduce, by id."""
        self.positions: dict[tuple[str, str], list[int]] = {}
        """By instrument and position: units of the base currency, and of the counter currency received less paid."""
        self.strategies: dict[tuple[str, str, str], list[int]] = {}
        """What of a position strategies made, by their names; the rest was made by orders of none."""
        self.venue_sequence = 0
        """Broker's number of the last report that was applied."""
        self.recent: dict[str, None] = {}
        """Clients' ids of its newest orders: what is repeated is nearly always one of them."""
        self.stuck = False
        """Whether a report of broker's waits for something that is not in memory; those behind it wait too."""

    def add(self, order: Order) -> None:
        """Takes an order in."""
        self.orders[order.order_id] = order
        self.by_client[order.client_order_id] = order
        if order.terms.reduce_only:
            self.reducing[order.order_id] = order
        for group in {order.list_id, order.parent_id} - {""}:
            self.children.setdefault(group, []).append(order)

    def entered(self, client_order_id: str) -> None:
        """An order was entered under that id."""
        self.recent[client_order_id] = None
        if len(self.recent) > RECENT_MAX:
            del self.recent[next(iter(self.recent))]

    def forget_final(self, order: Order) -> None:
        """Drops a final order, once nothing depends on it any more."""
        if order.order_id in self.children and not all(o.final for o in self.children[order.order_id]):
            return
        if order.list_id and not all(o.final for o in self.children.get(order.list_id, ())):
            return
        dropped = [order, *self.children.pop(order.list_id, [])] if order.list_id else [order]
        self.children.pop(order.order_id, None)
        for each in dropped:
            self.orders.pop(each.order_id, None)
            self.reducing.pop(each.order_id, None)
            self.by_client.pop(each.client_order_id, None)
            if each.parent_id in self.children:
                self.children[each.parent_id] = [o for o in self.children[each.parent_id] if o is not each]

    def net(self, instrument: str, position_id: str = "") -> int:
        """The position of an instrument, or one of a hedging account, in `amounts`."""
        return self.positions.get((instrument, position_id), (0, 0))[0]

    # What is done to an order. Each returns nothing; what happened is in the recorder.

    def record(self, order: Order, after: Status, step: Step, to: Recorder) -> None:
        """Takes a step and numbers it."""
        order.move(step.exec_type, after)
        self.sequence += 1
        order.sequence = self.sequence
        if step.exec_type in (Exec.PENDING_CANCEL, Exec.PENDING_REPLACE):
            order.pending_sequence = self.sequence
        to.report(self, order, step)

    def enter(self, order: Order, status: Status, step: Step, to: Recorder) -> None:
        """A new order: PENDING_NEW, NEW where it is held here, SUSPENDED or REJECTED."""
        self.add(order)
        order.reason, order.reason_text = step.reason, step.text
        if step.exec_type is not Exec.REJECTED:
            order.reason, order.reason_text = None, ""
        self.record(order, status, step, to)
        if status is Status.PENDING_NEW and order.terms.order_type is not OrderType.PREVIOUSLY_QUOTED:
            to.instruct(order, Instruct.NEW)

    def adopt(self, order: Order, step: Step, to: Recorder) -> None:
        """An order that works at its venue already, where it was placed by hand."""
        self.add(order)
        self.record(order, Status.NEW, step, to)

    def ask_cancel(self, order: Order, reason: Reason, cause: str, to: Recorder, text: str = "") -> None:
        """Cancels: at once what is held here, else by asking the venue. Nothing where a cancel is under way.

        Raises:
            Refused: the order has ended.
        """
        if order.final:
            raise Refused(order.status, f"the order is {order.status.name}: there is nothing left to cancel")
        if order.status is Status.PENDING_CANCEL:
            return
        if order.held:
            self.end(order, Exec.CANCELLED, Step(Exec.CANCELLED, cause, reason, text), to)
            return
        if order.terms.order_type is OrderType.PREVIOUSLY_QUOTED:
            raise Refused(order.status, "the quote is being taken: the order ends with the answer, within seconds")
        order.reason, order.reason_text = reason, text
        self.record(order, Status.PENDING_CANCEL, Step(Exec.PENDING_CANCEL, cause, reason, text), to)
        to.instruct(order, Instruct.CANCEL)

    def ask_amend(self, order: Order, amendment: Amendment, cause: str, to: Recorder, step: Step) -> None:
        """Amends: at once what is held here, else by asking the venue. A quantity that is filled already cancels.

        Raises:
            Refused: the order has ended, or something is under way already.
        """
        self.may_amend(order)
        if amendment.quantity and amendment.quantity <= order.done:
            words = f"the new quantity is {amounts.quantity_text(amendment.quantity)}, filled is as much or more"
            self.ask_cancel(order, Reason.CLIENT, cause, to, words)
            return
        if order.held:
            order.proposed = amendment
            self._amended(order)
            after = Status.SUSPENDED if order.status is Status.SUSPENDED else Status.NEW
            self.record(order, after, Step(Exec.REPLACED, cause, step.reason, step.text, None, "", step.admission), to)
            return
        order.proposed = amendment
        pending = Step(Exec.PENDING_REPLACE, cause, step.reason, step.text, None, "", step.admission)
        self.record(order, Status.PENDING_REPLACE, pending, to)
        to.instruct(order, Instruct.REPLACE)

    def may_amend(self, order: Order) -> None:
        """Nothing for an order that can be amended now.

        Raises:
            Refused: it cannot; the words say when it can.
        """
        if order.final:
            raise Refused(order.status, f"the order is {order.status.name}: enter a new one")
        if order.status in (Status.PENDING_CANCEL, Status.PENDING_REPLACE):
            words = "a cancel" if order.status is Status.PENDING_CANCEL else "an amendment"
            raise Refused(order.status, f"{words} is under way: wait for its execution report")
        if order.status in (Status.PENDING_NEW, Status.PENDING_UNKNOWN):
            raise Refused(order.status, "no venue has confirmed it yet: wait for its execution report, or cancel")
        if order.terms.time_in_force in (TimeInForce.IOC, TimeInForce.FOK) and not order.held:
            raise Refused(order.status, "an IOC or FOK order is over in an instant: it cannot be amended")

    def _amended(self, order: Order) -> None:
        """The proposed terms hold. What was filled stays within the quantity."""
        new, old = order.proposed, order.terms
        assert new is not None
        order.proposed = None
        order.version += 1
        order.terms = _replaced(old, new, order.done)
        order.expire_ns = new.expire_ns or order.expire_ns
        if new.stop_price:
            order.trigger_price = new.stop_price

    def deal(self, order: Order, deal: Deal, to: Recorder, cause: str = "") -> None:
        """A fill. Whatever was amended or cancelled meanwhile, it counts."""
        order.exec_ids.add(deal.venue_exec_id)
        order.cum += deal.quantity
        order.value += deal.quantity * deal.price
        order.confirmed = True
        order.venue = order.venue or deal.venue
        text = ""
        if order.done > order.terms.quantity:
            over = amounts.quantity_text(order.done - order.terms.quantity)
            text = f"filled by {over} more than the order's quantity; what a venue reports is booked"
        pending = order.status in PENDING
        if order.done >= order.terms.quantity:
            # With an amendment to more under way the venue has the last word on whether it goes on.
            more = pending and order.proposed is not None and order.proposed.quantity > order.done
            after = order.status if more else Status.FILLED
        elif order.final or pending:
            after = order.status
        else:
            after = Status.PARTIALLY_FILLED
        if after is Status.FILLED:
            order.reason, order.reason_text = None, ""
        self._move_position(order, deal, 1, to)
        self.record(order, after, Step(Exec.TRADE, cause, None, text, deal), to)

    def correct(self, order: Order, was: Deal, now: Deal | None, cause: str, text: str, to: Recorder) -> None:
        """A venue takes a fill back, or says what it is instead."""
        order.cum -= was.quantity
        order.withdrawn += was.quantity - (now.quantity if now is not None else 0)
        order.value -= was.quantity * was.price
        self._move_position(order, was, -1, to)
        if now is not None:
            order.cum += now.quantity
            order.value += now.quantity * now.price
            self._move_position(order, now, 1, to)
        after = order.status
        if order.status is Status.PARTIALLY_FILLED or order.status is Status.NEW:
            after = order.resting
        exec_type = Exec.TRADE_CANCEL if now is None else Exec.TRADE_CORRECT
        self.record(order, after, Step(exec_type, cause, None, text, now or was, was.venue_exec_id), to)

    def _move_position(self, order: Order, deal: Deal, sign: int, to: Recorder) -> None:
        key = (order.instrument, deal.position_id)
        side, strategy = sign * order.side, order.terms.strategy
        if order.terms.swap:  # the near leg the other way, then the far one
            units = side * (deal.far_quantity - deal.quantity)
            counter = -side * (deal.far_quantity * deal.far_price - deal.quantity * deal.price)
        else:
            units = side * deal.quantity
            counter = -units * deal.price
        position = self.positions.setdefault(key, [0, 0])
        position[0] += units
        position[1] += counter
        if strategy:
            part = self.strategies.setdefault((*key, strategy), [0, 0])
            part[0] += units
            part[1] += counter
        to.position(self, key, strategy)

    def confirm(self, order: Order, venue: str, cause: str, to: Recorder) -> None:
        """A venue has it. What it says late changes nothing but that it is known."""
        known = order.confirmed and order.status not in (Status.PENDING_NEW, Status.PENDING_UNKNOWN)
        order.confirmed, order.venue = True, venue or order.venue
        if known or order.final:
            return
        after = order.status
        if after in (Status.PENDING_NEW, Status.PENDING_UNKNOWN):
            after = order.resting
        self.record(order, after, Step(Exec.NEW, cause), to)

    def unknown(self, order: Order, text: str, cause: str, to: Recorder) -> None:
        """A venue's answer is not known."""
        if order.final or order.status is Status.PENDING_UNKNOWN:
            return
        pending = order.status in (Status.PENDING_CANCEL, Status.PENDING_REPLACE)
        after = order.status if pending else Status.PENDING_UNKNOWN
        self.record(order, after, Step(Exec.UNKNOWN, cause, None, text), to)

    def end(self, order: Order, exec_type: Exec, step: Step, to: Recorder) -> None:
        """It ends unfilled, or with what is filled: CANCELLED, REJECTED or EXPIRED. Nothing if it had ended."""
        if order.final:
            return
        if exec_type is Exec.REJECTED and order.cum:
            exec_type = Exec.CANCELLED  # what is filled stays: a refusal of the rest is its end
        after = {
            Exec.CANCELLED: Status.CANCELLED,
            Exec.REJECTED: Status.REJECTED,
            Exec.EXPIRED: Status.EXPIRED,
        }[exec_type]
        if exec_type is Exec.REJECTED and order.status in (Status.NEW, Status.PARTIALLY_FILLED, Status.SUSPENDED):
            exec_type, after = Exec.CANCELLED, Status.CANCELLED
        if exec_type is Exec.CANCELLED and order.reason is Reason.EXPIRED and not order.held:
            exec_type, after = Exec.EXPIRED, Status.EXPIRED  # its time had ended; the venue had to be told
        reason, text = step.reason or order.reason, step.text or order.reason_text
        order.reason, order.reason_text = reason, text
        self.record(order, after, Step(exec_type, step.cause, reason, text, None, "", step.admission), to)

    def replaced(self, order: Order, cause: str, to: Recorder) -> None:
        """A venue has amended it as proposed. Nothing if nothing was proposed, or it has ended."""
        if order.final or order.proposed is None:
            return
        self._amended(order)
        full = order.done >= order.terms.quantity
        after = Status.PENDING_CANCEL if order.status is Status.PENDING_CANCEL else order.resting
        if after is Status.PENDING_NEW:
            after = Status.NEW
        self.record(order, Status.FILLED if full else after, Step(Exec.REPLACED, cause), to)

    def refuse(self, order: Order, exec_type: Exec, reason: Reason, text: str, cause: str, to: Recorder) -> None:
        """A venue refuses a cancel or an amendment: the order is as it was. Nothing if it has ended."""
        if order.final:
            return
        if exec_type is Exec.REPLACE_REJECTED:
            if order.proposed is None:
                return
            order.proposed = None
            after = Status.PENDING_CANCEL if order.status is Status.PENDING_CANCEL else order.resting
        else:
            if order.status is Status.PENDING_CANCEL:
                order.reason, order.reason_text = None, ""
            after = order.resting if order.proposed is None else Status.PENDING_REPLACE
        if order.done >= order.terms.quantity and order.proposed is None:
            # It was filled whole while an amendment to more was under way; now there is no more.
            order.reason, order.reason_text, after = None, "", Status.FILLED
        self.record(order, after, Step(exec_type, cause, reason, text), to)

    def trigger(self, order: Order, text: str, to: Recorder) -> None:
        """Its trigger was reached: it goes to a venue."""
        order.triggered = True
        self.record(order, Status.PENDING_NEW, Step(Exec.TRIGGERED, "", None, text), to)
        to.instruct(order, Instruct.NEW)


def _replaced(old: Terms, new: Amendment, done: int) -> Terms:
    return replace(
        old,
        quantity=max(new.quantity, done) if new.quantity else old.quantity,
        limit_price=old.limit_price if new.limit_price is None else new.limit_price,
        stop_price=new.stop_price or old.stop_price,
        trailing_distance=new.trailing_distance or old.trailing_distance,
        expire_ns=new.expire_ns or old.expire_ns,
    )


__all__ = ["Account", "Deal", "Instruct", "Recorder", "Refused", "Step"]
