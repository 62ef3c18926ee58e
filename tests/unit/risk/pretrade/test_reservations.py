"""What is reserved equals the naive sum over what works, whatever happens in whatever order."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crossrate.api.risk.v1 import pretrade_service_pb2 as pb
from crossrate.api.trading.v1 import account_state_pb2, execution_pb2, order_pb2
from services.risk.domain.pretrade.amounts import SCALE
from services.risk.domain.pretrade.authorise import Authoriser
from services.risk.domain.pretrade.checks import Plans
from services.risk.pretrade import PreTrade
from tests.unit.risk.pretrade.bench import Bench

ACCOUNTS = ("alpha", "beta")
INSTRUMENTS = ("EUR/USD", "USD/JPY", "EUR/GBP")
CANCELLED, FILLED, NEW, REPLACING = (
    order_pb2.ORDER_STATUS_CANCELLED,
    order_pb2.ORDER_STATUS_FILLED,
    order_pb2.ORDER_STATUS_NEW,
    order_pb2.ORDER_STATUS_PENDING_REPLACE,
)


@dataclass
class Known:
    """An order as trading knows it: what may be filled of it is the most of what it was, will be and may become."""

    message: order_pb2.Order
    committed: bool = False
    asked: int = 0
    replacing: int = 0

    @property
    def account(self) -> str:
        """Whose."""
        return self.message.terms.account

    @property
    def filled(self) -> int:
        """Units filled."""
        return int(self.message.cum_quantity)

    @property
    def quantity(self) -> int:
        """Units in all."""
        return int(self.message.terms.quantity)

    @property
    def needs(self) -> int:
        """Units that have to be reserved."""
        return max(self.quantity, self.asked, self.replacing) - self.filled


class Reservations(RuleBasedStateMachine):
    """Trading with all its ways, against one risk that may be restarted."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = self.started()
        self.numbers = itertools.count(1)
        self.writer = "one"
        self.orders: dict[str, Known] = {}
        self.positions: dict[tuple[str, str], int] = {}
        self.reports: dict[str, list[execution_pb2.ExecutionReport]] = {name: [] for name in ACCOUNTS}
        self.told = dict.fromkeys(ACCOUNTS, 0)

    def started(self) -> PreTrade:
        """A risk that knows nothing yet."""
        self.bench = Bench()
        for name in ACCOUNTS:
            self.bench.open(name, funds=10**12).known = False
        authoriser = Authoriser(self.bench.book, Plans(self.bench.book))
        return PreTrade(self.bench.book, authoriser, lambda: self.bench.now_ns, 10**18)

    @initialize()
    def begin(self) -> None:
        """Risk is told of empty accounts."""
        self.report(states=True)

    # What trading says.

    def state(self, name: str) -> account_state_pb2.AccountState:
        """The whole state of an account."""
        state = account_state_pb2.AccountState(account=name, sequence=len(self.reports[name]))
        state.working.extend(
            known.message for known in self.orders.values() if known.account == name and known.committed
        )
        for (account, instrument), quantity in self.positions.items():
            if account == name and quantity:
                state.positions.add(instrument=instrument, quantity=str(quantity), counter_amount=str(-quantity))
        return state

    def header(self, states: bool = False) -> dict[str, object]:
        """What every call begins with: reports since the last call, and what is pending."""
        accounts = []
        for name, reports in self.reports.items():
            each = pb.AccountReports(account=name, last_sequence=len(reports))
            if states:
                each.state.CopyFrom(self.state(name))
            else:
                each.reports.extend(reports[self.told[name] :])
            self.told[name] = len(reports)
            accounts.append(each)
        pending = [name for name, known in self.orders.items() if not known.committed or known.asked]
        return {
            "request_id": str(uuid.uuid4()),
            "writer": self.writer,
            "number": next(self.numbers),
            "accounts": accounts,
            "pending_order_ids": pending,
        }

    def report(self, *, states: bool = False) -> None:
        """A call without orders."""
        answer = pb.ReportResponse.FromString(self.engine.report(pb.ReportRequest(**self.header(states))))
        assert not answer.missing_accounts

    def step(self, known: Known, exec_type: int, fill: execution_pb2.Fill | None = None) -> None:
        """The next report of an order."""
        reports = self.reports[known.account]
        message = execution_pb2.ExecutionReport(
            sequence=len(reports) + 1, exec_type=exec_type, order=known.message, fill=fill
        )
        reports.append(message)

    # What may happen.

    @rule(
        data=st.lists(
            st.tuples(
                st.sampled_from(ACCOUNTS),
                st.sampled_from(INSTRUMENTS),
                st.booleans(),
                st.integers(1, 9),
                st.sampled_from(["", "", "list"]),
            ),
            min_size=1,
            max_size=4,
        ),
        validate_only=st.booleans(),
    )
    def enter(self, data: list[tuple[str, str, bool, int, str]], validate_only: bool) -> None:
        """Orders are authorised; their commit comes later, or never."""
        asked = []
        for account, instrument, buys, units, listed in data:
            terms = order_pb2.NewOrder(
                client_order_id=uuid.uuid4().hex,
                account=account,
                instrument=instrument,
                side=order_pb2.SIDE_BUY if buys else order_pb2.SIDE_SELL,
                quantity=str(units * 1000),
                order_type=order_pb2.ORDER_TYPE_MARKET,
                time_in_force=order_pb2.TIME_IN_FORCE_GTC,
            )
            message = order_pb2.Order(
                order_id=str(uuid.uuid4()), terms=terms, status=1, cum_quantity="0", leaves_quantity=terms.quantity
            )
            if listed:
                message.list_id, message.contingency = f"{account}-list", order_pb2.CONTINGENCY_TYPE_OCO
            asked.append(message)
        orders = [pb.OrderToAuthorise(order=each) for each in asked]
        request = pb.AuthoriseRequest(orders=orders, validate_only=validate_only, **self.header())
        answer = pb.AuthoriseResponse.FromString(self.engine.authorise(request))
        assert [each.authorised for each in answer.authorisations] == [True] * len(asked), answer
        repeated = pb.AuthoriseResponse.FromString(self.engine.authorise(request))
        assert repeated == answer
        if not validate_only:
            self.orders |= {each.order_id: Known(each) for each in asked}

    def pick(self, number: int, *, committed: bool = True, replacing: bool = False) -> Known | None:
        """One of the orders that are in a state."""
        found = [
            each
            for each in self.orders.values()
            if each.committed == committed and bool(each.replacing) == replacing and not each.asked
        ]
        return found[number % len(found)] if found else None

    @precondition(lambda self: any(not each.committed for each in self.orders.values()))
    @rule(number=st.integers(0, 99), commits=st.booleans())
    def settle(self, number: int, commits: bool) -> None:
        """A pending order is committed, or given up."""
        known = self.pick(number, committed=False)
        if known is None:
            return
        if commits:
            known.committed = True
            self.step(known, execution_pb2.EXEC_TYPE_PENDING_NEW)
        else:
            del self.orders[known.message.order_id]

    @rule(number=st.integers(0, 99), units=st.integers(1, 9))
    def fill(self, number: int, units: int) -> None:
        """A working order is filled in part or whole, also while its amendment is under way."""
        known = self.pick(number) or self.pick(number, replacing=True)
        if known is None:
            return
        message = known.message
        quantity = min(units * 1000, known.quantity - known.filled)
        message.cum_quantity = str(known.filled + quantity)
        message.leaves_quantity = str(known.quantity - known.filled)
        signed = quantity if message.terms.side == order_pb2.SIDE_BUY else -quantity
        key = known.account, message.terms.instrument
        self.positions[key] = self.positions.get(key, 0) + signed
        if known.filled == known.quantity and not known.replacing:
            message.status = FILLED
            del self.orders[message.order_id]
        fill = execution_pb2.Fill(venue="sim", venue_exec_id=uuid.uuid4().hex, quantity=str(quantity), price="1")
        self.step(known, execution_pb2.EXEC_TYPE_TRADE, fill)

    @rule(number=st.integers(0, 99))
    def cancel(self, number: int) -> None:
        """A working order ends."""
        known = self.pick(number)
        if known is not None:
            known.message.status, known.message.leaves_quantity = CANCELLED, "0"
            del self.orders[known.message.order_id]
            self.step(known, execution_pb2.EXEC_TYPE_CANCELLED)

    @rule(number=st.integers(0, 99), units=st.integers(1, 20), commits=st.booleans())
    def amend(self, number: int, units: int, commits: bool) -> None:
        """An amendment is authorised, and committed or given up."""
        known = self.pick(number)
        if known is None:
            return
        wanted = order_pb2.Order()
        wanted.CopyFrom(known.message)
        quantity = max(units * 1000, known.filled + 1000)
        wanted.terms.quantity, wanted.version = str(quantity), known.message.version + 1
        orders = [pb.OrderToAuthorise(order=wanted, amends=True)]
        looked_at = pb.AuthoriseRequest(orders=orders, validate_only=True, **self.header())
        assert pb.AuthoriseResponse.FromString(self.engine.authorise(looked_at)).authorisations[0].authorised
        self.check()
        header = self.header()
        header["pending_order_ids"] = [*header["pending_order_ids"], wanted.order_id]
        answer = pb.AuthoriseResponse.FromString(self.engine.authorise(pb.AuthoriseRequest(orders=orders, **header)))
        assert answer.authorisations[0].authorised, answer
        known.asked = quantity
        self.check()
        known.asked = 0
        if commits:
            known.replacing = quantity
            known.message.status = REPLACING
            known.message.proposed.CopyFrom(wanted.terms)
            self.step(known, execution_pb2.EXEC_TYPE_PENDING_REPLACE)

    @rule(number=st.integers(0, 99), accepted=st.booleans())
    def replaced(self, number: int, accepted: bool) -> None:
        """The venue has decided about an amendment."""
        known = self.pick(number, replacing=True)
        if known is None:
            return
        message = known.message
        if accepted:
            message.terms.quantity = str(max(known.replacing, known.filled))
            message.version += 1
        known.replacing = 0
        message.ClearField("proposed")
        message.leaves_quantity = str(known.quantity - known.filled)
        message.status = NEW
        if known.filled == known.quantity:
            message.status = FILLED
            del self.orders[message.order_id]
        done = execution_pb2.EXEC_TYPE_REPLACED if accepted else execution_pb2.EXEC_TYPE_REPLACE_REJECTED
        self.step(known, done)

    @rule()
    def whole_state(self) -> None:
        """Trading tells whole states."""
        self.report(states=True)

    @rule()
    def taken_over(self) -> None:
        """Another writer of trading takes over: what the one before had pending is never committed."""
        self.writer = f"writer-{uuid.uuid4()}"
        self.numbers = itertools.count(1)
        for name in [name for name, each in self.orders.items() if not each.committed]:
            del self.orders[name]
        self.report(states=True)

    @rule()
    def restarted(self) -> None:
        """Risk is another process: what was pending under the gate before is never committed."""
        self.engine = self.started()
        for name in [name for name, each in self.orders.items() if not each.committed]:
            del self.orders[name]
        self.report(states=True)

    @rule()
    def limits_change(self) -> None:
        """All sums are made anew."""
        self.bench.book.rebuild()

    # What has to hold.

    @invariant()
    def reserved(self) -> None:
        """After everything was reported, sums are the naive ones."""
        self.report()
        self.check()

    def check(self) -> None:
        """Compares each account and the platform with sums over orders, position by position."""
        book = self.bench.book
        groups = {name: book.account(name).group for name in ACCOUNTS}
        for instrument in INSTRUMENTS:
            total = [0, 0, 0]
            for name, group in groups.items():
                wanted = [self.positions.get((name, instrument), 0) * SCALE, *self.naive(name, instrument)]
                total = [a + b for a, b in zip(total, wanted, strict=True)]
                assert amounts(group, instrument) == wanted
            assert amounts(book.platform, instrument) == total
        for name, group in groups.items():
            mine = [each for each in self.orders.values() if each.account == name]
            assert group.working == len(mine) == len(book.account(name).working)
            gross = sum(slot.value for slot in group.slots.values())
            assert group.gross == gross
            assert group.longs == sum(leg.long for leg in group.legs.values())
        if not self.orders and not any(self.positions.values()):
            assert book.platform.gross == book.platform.longs == book.platform.shorts == 0

    def naive(self, account: str, instrument: str) -> list[int]:
        """What works on both sides; of a list's orders on one side the largest."""
        sides = []
        for side in (order_pb2.SIDE_BUY, order_pb2.SIDE_SELL):
            mine = [
                each
                for each in self.orders.values()
                if (each.account, each.message.terms.instrument, each.message.terms.side) == (account, instrument, side)
            ]
            alone = sum(each.needs for each in mine if not each.message.list_id)
            listed = max((each.needs for each in mine if each.message.list_id), default=0)
            sides.append((alone + listed) * SCALE)
        return sides

    def teardown(self) -> None:
        """When everything has ended nothing is reserved."""
        for known in list(self.orders.values()):
            known.message.status, known.message.leaves_quantity = CANCELLED, "0"
            if known.committed:
                self.step(known, execution_pb2.EXEC_TYPE_CANCELLED)
        self.orders = {}
        self.report()
        self.check()
        for name in ACCOUNTS:
            group = self.bench.book.account(name).group
            assert all(slot.buys == slot.sells == 0 for slot in group.slots.values())
            assert all(leg.adds == leg.takes == 0 for leg in group.legs.values())


def amounts(group, instrument: str) -> list[int]:
    """Position, buys and sales of an instrument in a group."""
    slot = group.slots.get(instrument)
    return [slot.position, slot.buys, slot.sells] if slot is not None else [0, 0, 0]


TestReservations = Reservations.TestCase
TestReservations.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
