"""A venue as simple as it can be, whose messages come late, and an account that has to get along with it.

Everything that a venue may do at any time happens here in an order that a seed decides: it fills while a cancel is on
its way, refuses what it has forgotten, falls silent, takes fills back. What the account makes of it is compared with a
model that does nothing but add up.
"""

from __future__ import annotations

import random
from collections import deque
from fractions import Fraction

from crossrate.api.broker.v1 import venue_report_pb2 as venue
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from services.trading import messages
from services.trading.domain import amounts, entry, lists
from services.trading.domain.account import Account, Instruct, Refused, Step
from services.trading.domain.dates import Calendar
from services.trading.domain.lifecycle import FINAL, PENDING, Exec, Reason, Status
from services.trading.domain.order import Amendment, Contingency, Order
from services.trading.domain.settling import settle
from services.trading.engine.venue_reports import Applier, Prepared
from services.trading.store.batch import Batch
from services.trading.store.commits import ARGUMENTS, STRATEGY_ARGUMENTS
from tests.unit.trading.venue_parts import AtVenue, Naive, Silent

NOW_NS = 1_772_632_800_000_000_000
"""Wednesday, 4 March 2026, 14:00 UTC."""
UNIT = 1000 * amounts.QUANTITY_UNIT


class World:
    """One account and one venue."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.account = Account("alpha")
        self.venue: dict[str, AtVenue] = {}
        self.naive: dict[str, Naive] = {}
        self.to_venue: deque = deque()
        self.from_venue: deque[venue.VenueReport] = deque()
        self.sequence = self.orders = self.fills = 0
        self.kept: dict[str, Order] = {}
        self.deals: dict[str, tuple[str, messages.Deal]] = {}
        self.reports = 0
        self.seen_taken: set[str] = set()
        self.applier = Applier(Silent())
        self.calendar = Calendar()

    # One commit.

    def commit(self, do) -> None:
        """Does something to the account as one commit would, with all that follows."""
        batch = Batch(NOW_NS)
        before = self.account.sequence
        try:
            do(batch)
        except Refused:
            assert self.account.sequence == before, "what is refused has changed something"
        settle(self.account, batch, self._protection)
        assert [r.sequence for r in batch.reported] == list(range(before + 1, self.account.sequence + 1))
        self.reports += len(batch.reported)
        for order in batch.orders:
            self.check(order)
            self.kept[order.order_id] = order
            if order.final:
                self.account.forget_final(order)
        for each in batch.instructions:
            self.to_venue.append(each)
        if batch.bases:
            assert len(batch.arguments(dict.fromkeys(batch.bases, 1))) == ARGUMENTS + STRATEGY_ARGUMENTS

    def _protection(self, parent, client_order_id, terms):
        self.orders += 1
        return messages.protection_of(
            parent, f"00000000-0000-7000-8000-{self.orders:012d}", client_order_id, terms, NOW_NS
        )

    def check(self, order: Order) -> None:
        """The order is what its fills make of it, within its quantity, and whole in its message."""
        naive = self.naive.get(order.order_id, Naive())
        assert (order.cum, order.value) == (naive.cum, naive.value)
        again = messages.order_of(order_pb2.Order.FromString(order.image.SerializeToString()))
        for name in ("status", "cum", "value", "version", "sequence", "pending_sequence", "triggered", "confirmed"):
            assert getattr(again, name) == getattr(order, name), name
        assert again.terms == order.terms
        assert again.leaves == order.leaves
        assert again.exposed == order.exposed
        assert (again.proposed is None) == (order.proposed is None)
        assert (order.pending_sequence > 0) == (order.status in PENDING)
        assert order.image.leaves_quantity == amounts.quantity_text(order.leaves)
        if order.cum:
            exact = Fraction(order.value, order.cum)
            assert abs(Fraction(amounts.price(order.image.avg_price)) - exact) <= Fraction(1, 2)

    # What clients do.

    def enter(self, **fields) -> Order | None:
        """A new order, admitted."""
        self.orders += 1
        values = {
            "client_order_id": f"c{self.orders}",
            "account": "alpha",
            "instrument": "EUR/USD",
            "side": self.random.choice((order_pb2.SIDE_BUY, order_pb2.SIDE_SELL)),
            "quantity": str(self.random.randrange(1, 20) * 1000),
            "order_type": order_pb2.ORDER_TYPE_LIMIT,
            "limit_price": "1.08",
            "time_in_force": order_pb2.TIME_IN_FORCE_GTC,
        }
        new = order_pb2.NewOrder(**(values | fields))
        return self.admit(new)

    def admit(self, new: order_pb2.NewOrder, **attributes) -> Order:
        """Enters what was made."""
        terms = messages.terms_of(new)
        from crossrate.basics.instrument import CONVENTIONS
        from crossrate.basics.pair import Pair

        pair = Pair("EUR", "USD")
        assert not entry.problems(terms, CONVENTIONS[pair], NOW_NS)
        dates = self.calendar.dates(pair, NOW_NS, None, None, False)
        order_id = f"00000000-0000-7000-8000-{self.orders:012d}"
        image = messages.image_of(new, order_id, dates, "local", NOW_NS)
        order = Order(order_id, "alpha", new.client_order_id, new.instrument, terms, image)
        for name, value in attributes.items():
            setattr(order, name, value)
        status = lists.first_status(order)
        exec_type = {Status.PENDING_NEW: Exec.PENDING_NEW, Status.NEW: Exec.NEW}.get(status, Exec.SUSPENDED)
        self.commit(lambda batch: self.account.enter(order, status, Step(exec_type), batch))
        return order

    def enter_list(self, contingency: Contingency) -> None:
        """Two or three orders that depend on each other: equal sizes, the stops are held."""
        list_id = f"00000000-0000-7000-9000-{self.orders:012d}"
        quantity = str(self.random.randrange(2, 20) * 1000)
        side = self.random.choice((order_pb2.SIDE_BUY, order_pb2.SIDE_SELL))
        other = order_pb2.SIDE_SELL if side == order_pb2.SIDE_BUY else order_pb2.SIDE_BUY
        first = ""
        count = self.random.choice((2, 3))
        for i in range(count):
            self.orders += 1
            stop = i == count - 1
            new = order_pb2.NewOrder(
                client_order_id=f"c{self.orders}",
                account="alpha",
                instrument="EUR/USD",
                side=other if contingency is Contingency.OTO and i else side,
                quantity=quantity,
                order_type=order_pb2.ORDER_TYPE_STOP if stop else order_pb2.ORDER_TYPE_LIMIT,
                limit_price="" if stop else "1.08",
                stop_price="1.07" if stop else "",
                time_in_force=order_pb2.TIME_IN_FORCE_GTC,
            )
            parent = first if contingency is Contingency.OTO else ""
            order = self.admit(new, list_id=list_id, contingency=contingency, parent_id=parent)
            first = first or order.order_id

    def some(self) -> Order | None:
        """Any order that works."""
        working = [order for order in self.account.orders.values() if not order.final]
        return self.random.choice(working) if working else None

    def cancel(self) -> None:
        """Cancels one."""
        order = self.some()
        if order is not None:
            self.commit(lambda batch: self.account.ask_cancel(order, Reason.CLIENT, "c", batch))

    def amend(self) -> None:
        """Amends one."""
        order = self.some()
        if order is not None:
            quantity = self.random.randrange(1, 25) * UNIT if self.random.random() < 0.8 else 0
            price = None if quantity or not order.terms.limit_price else amounts.price("1.0812")
            new = Amendment(quantity=quantity, limit_price=price)
            if new != Amendment() and not order.list_id:
                step = Step(Exec.PENDING_REPLACE, "a")
                self.commit(lambda batch: self.account.ask_amend(order, new, "a", batch, step))

    def trigger(self) -> None:
        """The market reaches one that is held."""
        held = [o for o in self.account.orders.values() if o.held and o.status is Status.NEW]
        if held:
            order = self.random.choice(held)
            self.commit(lambda batch: self.account.trigger(order, "reached", batch))

    # What the venue does.

    def venue_reads(self) -> None:
        """The venue gets its next instruction; or its answer is not known."""
        if not self.to_venue:
            return
        each = self.to_venue.popleft()
        if each.instruction_id in self.seen_taken:
            return
        self.seen_taken.add(each.instruction_id)
        order, kind = each.order, each.kind
        at = self.venue.get(order.order_id)
        if kind == Instruct.NEW:
            roll = self.random.random()
            if roll < 0.1:
                self.say(order, venue.VENUE_REPORT_KIND_REJECTED, reason=execution_pb2.EXECUTION_REASON_VENUE)
                self.venue[order.order_id] = AtVenue(order, 0, alive=False)
                return
            self.venue[order.order_id] = AtVenue(order, amounts.quantity(order.terms.quantity))
            if roll < 0.2:
                self.say(order, venue.VENUE_REPORT_KIND_UNKNOWN)
            self.say(order, venue.VENUE_REPORT_KIND_ACCEPTED)
        elif at is None or not at.alive or self.random.random() < 0.1:
            refused = venue.VENUE_REPORT_KIND_CANCEL_REJECTED
            if kind == Instruct.REPLACE:
                refused = venue.VENUE_REPORT_KIND_REPLACE_REJECTED
            self.say(order, refused)
        elif kind == Instruct.CANCEL:
            at.alive = False
            self.say(order, venue.VENUE_REPORT_KIND_CANCELLED)
        else:
            wanted = amounts.quantity(order.terms.quantity)
            at.quantity = max(wanted, at.filled)
            self.say(order, venue.VENUE_REPORT_KIND_REPLACED)
            at.alive = at.filled < at.quantity

    def say(self, order: order_pb2.Order, kind: int, **fields) -> None:
        """The venue reports; it arrives later."""
        self.sequence += 1
        self.from_venue.append(
            venue.VenueReport(
                sequence=self.sequence, account="alpha", order_id=order.order_id, kind=kind, venue="sim", **fields
            )
        )

    def venue_fills(self) -> None:
        """The venue fills something of what it has."""
        alive = [at for at in self.venue.values() if at.alive and at.filled < at.quantity]
        if not alive:
            return
        at = self.random.choice(alive)
        left = (at.quantity - at.filled) // UNIT
        quantity = (
            self.random.randrange(1, left + 1) * UNIT
            if left > 1 and self.random.random() < 0.7
            else at.quantity - at.filled
        )
        at.filled += quantity
        at.alive = at.filled < at.quantity
        self.fills += 1
        fill = execution_pb2.Fill(
            venue_exec_id=f"x{self.fills}",
            venue="sim",
            quantity=amounts.quantity_text(quantity),
            price=amounts.price_text(self.random.randrange(10_700_000_000, 10_900_000_000)),
        )
        self.say(at.order, venue.VENUE_REPORT_KIND_FILLED, fill=fill)

    def venue_expires(self) -> None:
        """The venue ends an order by itself."""
        alive = [at for at in self.venue.values() if at.alive]
        if alive:
            at = self.random.choice(alive)
            at.alive = False
            self.say(at.order, self.random.choice((venue.VENUE_REPORT_KIND_EXPIRED, venue.VENUE_REPORT_KIND_CANCELLED)))

    def venue_takes_back(self) -> None:
        """The venue takes a fill back, or corrects it."""
        if not self.deals:
            return
        exec_id = self.random.choice(list(self.deals))
        order_id, deal = self.deals[exec_id]
        order = self.venue[order_id].order
        if self.random.random() < 0.5:
            self.say(order, venue.VENUE_REPORT_KIND_TRADE_CANCELLED, exec_ref_id=exec_id)
        else:
            fill = execution_pb2.Fill()
            fill.CopyFrom(deal.image)
            fill.price = amounts.price_text(deal.price + 10_000)
            self.say(order, venue.VENUE_REPORT_KIND_TRADE_CORRECTED, exec_ref_id=exec_id, fill=fill)

    def hear(self) -> None:
        """The account gets the venue's next report, now and then twice."""
        if not self.from_venue:
            return
        report = self.from_venue.popleft()
        naive = self.naive.setdefault(report.order_id, Naive())
        prepared = self._prepared(report)
        match report.kind:
            case venue.VENUE_REPORT_KIND_FILLED:
                deal = messages.deal_of(report, "")
                naive.fills[deal.venue_exec_id] = (deal.quantity, deal.price)
                self.deals[deal.venue_exec_id] = (report.order_id, deal)
            case venue.VENUE_REPORT_KIND_TRADE_CANCELLED:
                if self.deals.pop(report.exec_ref_id, None) is not None:
                    del naive.fills[report.exec_ref_id]
            case venue.VENUE_REPORT_KIND_TRADE_CORRECTED:
                if report.exec_ref_id in self.deals:
                    now = messages.deal_of(report, "")
                    naive.fills[report.exec_ref_id] = (now.quantity, now.price)
                    self.deals[report.exec_ref_id] = (report.order_id, now)
        for _ in range(self.random.choice((1, 1, 2))):
            self.commit(lambda batch: self.applier.apply(self.account, batch, report, prepared))

    def _prepared(self, report: venue.VenueReport) -> Prepared:
        kept = self.kept.get(report.order_id)
        content = kept.image.SerializeToString() if kept is not None else None
        deal = self.deals[report.exec_ref_id][1] if report.exec_ref_id in self.deals else None
        return Prepared(content, tuple(kept.exec_ids) if kept is not None else (), deal)

    def drain(self) -> None:
        """Everything that is on its way arrives."""
        while self.to_venue or self.from_venue:
            while self.to_venue:
                self.venue_reads()
            while self.from_venue:
                self.hear()

    # What has to hold.

    def check_positions(self) -> None:
        """The position is what all fills make of it."""
        units = counter = 0
        for order_id, naive in self.naive.items():
            side = self.kept[order_id].side
            units += side * naive.cum
            counter -= side * naive.value
        assert tuple(self.account.positions.get(("EUR/USD", ""), (0, 0))) == (units, counter)

    def check_quiet(self) -> None:
        """When nothing is on its way, both sides agree, and lists are what the fills make of them."""
        assert not self.to_venue
        assert not self.from_venue
        for order_id, at in self.venue.items():
            order = self.kept[order_id]
            taken_back = order.cum != at.filled
            assert order.final == (not at.alive), (order.status, order.order_id, at.filled, at.quantity, at.alive)
            if not taken_back:
                assert order.cum <= order.terms.quantity
            assert order.status not in PENDING
        for order in self.account.orders.values():
            if order.final or not order.list_id:
                continue
            parent = self.account.orders.get(order.parent_id) if order.parent_id else None
            if order.contingency is Contingency.OTO and not order.parent_id:
                continue
            if parent is not None and not parent.cum:
                assert order.status is Status.SUSPENDED
                assert not parent.final
                continue
            assert order.terms.quantity == max(lists.target(self.account, order), 0) or order.terms.reduce_only

    def step(self) -> None:
        """Something happens."""
        roll = self.random.random()
        if len(self.account.orders) < 12 and roll < 0.12:
            self.enter()
        elif len(self.account.orders) < 12 and roll < 0.15:
            self.enter_list(self.random.choice((Contingency.OCO, Contingency.OTO)))
        elif len(self.account.orders) < 12 and roll < 0.18:
            guard = order_pb2.OnFill(take_profit_price="1.09", stop_loss_price="1.07")
            self.enter(side=order_pb2.SIDE_BUY, on_fill=guard)
        elif roll < 0.24:
            self.cancel()
        elif roll < 0.32:
            self.amend()
        elif roll < 0.34:
            self.trigger()
        elif roll < 0.36:
            self.venue_expires()
        elif roll < 0.37:
            self.venue_takes_back()
        elif roll < 0.58:
            self.venue_reads()
        elif roll < 0.72:
            self.venue_fills()
        else:
            self.hear()


def run(seed: int, steps: int) -> World:
    """Many steps, checked after each, and now and then when everything has come to rest."""
    world = World(seed)
    for i in range(steps):
        world.step()
        world.check_positions()
        if i % 50 == 49:
            world.drain()
            world.check_quiet()
    world.drain()
    world.check_quiet()
    return world


__all__ = ["FINAL", "World", "run"]
