"""Calls of writers: numbered, repeated, late, with gaps, from two writers; and answers as bytes."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest

from crossrate.api.common.v1 import check_pb2
from crossrate.api.risk.v1 import pretrade_service_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from services.risk.domain.pretrade.amounts import text_of
from services.risk.domain.pretrade.limits import BEGINNING, Check
from services.risk.messages.checks import Quotes, response, varint
from services.risk.pretrade import BadOrder, LateCall, PreTrade
from tests.integration.stand_in_trading import Kept, order
from tests.unit.risk.pretrade.bench import Bench, count


class Desk:
    """An engine, and writers that call it."""

    def __init__(self, *limits: Any) -> None:
        self.bench = Bench(*limits)
        self.bench.alpha.known = False
        self.engine = PreTrade(self.bench.book, self.bench.authoriser, lambda: self.bench.now_ns, 0)
        self.kept = Kept("alpha")
        self._numbers: dict[str, itertools.count] = {}

    def request(self, *orders: order_pb2.Order, writer: str = "one", state: bool = False, **other: Any) -> Any:
        """A call of a writer."""
        values = {
            "request_id": str(uuid.uuid4()),
            "writer": writer,
            "number": next(self._numbers.setdefault(writer, itertools.count(1))),
            "orders": [pb.OrderToAuthorise(order=each) for each in orders],
        }
        if state:
            values["accounts"] = [pb.AccountReports(account="alpha", state=self.kept.state())]
        return pb.AuthoriseRequest(**(values | other))

    def call(self, request: pb.AuthoriseRequest) -> pb.AuthoriseResponse:
        """What risk answers."""
        return pb.AuthoriseResponse.FromString(self.engine.authorise(request))

    def ask(self, *orders: order_pb2.Order, **other: Any) -> pb.AuthoriseResponse:
        """Both."""
        return self.call(self.request(*orders, **other))

    @property
    def working(self) -> set[str]:
        """What is reserved."""
        return set(self.bench.alpha.working)


def report(
    kept: Kept, entered: order_pb2.Order, exec_type: int = 1, sequence: int = 0
) -> execution_pb2.ExecutionReport:
    """The next report of an account."""
    made = execution_pb2.ExecutionReport(sequence=sequence or len(kept.reports) + 1, exec_type=exec_type, order=entered)
    kept.reports.append(made)
    return made


def told(*reports: execution_pb2.ExecutionReport, last: int = 0) -> dict[str, Any]:
    """Reports of a call."""
    return {"accounts": [pb.AccountReports(account="alpha", reports=reports, last_sequence=last)]}


def test_an_account_that_is_not_known_is_missing() -> None:
    """Until its whole state was told; nothing is reserved meanwhile."""
    desk = Desk()
    asked = order()
    answer = desk.ask(asked)
    assert list(answer.missing_accounts) == ["alpha"]
    assert not answer.authorisations
    assert not desk.working
    assert desk.ask(asked, state=True).authorisations[0].authorised
    assert desk.working == {asked.order_id}


def test_a_gap_is_missing() -> None:
    """A report that is not the next one, or a writer that knows newer ones; an old one again is no gap."""
    desk = Desk()
    first = order()
    desk.ask(first, state=True)
    one = report(desk.kept, first)
    assert not desk.ask(**told(one, last=1)).missing_accounts
    assert not desk.ask(**told(one, last=1)).missing_accounts
    assert list(desk.ask(**told(report(desk.kept, first, sequence=3))).missing_accounts) == ["alpha"]
    desk.kept.reports.pop()
    assert not desk.ask(state=True).missing_accounts
    assert list(desk.ask(order(), **told(last=2)).missing_accounts) == ["alpha"]
    assert not desk.bench.alpha.known


def test_a_repeated_call_has_its_answer_and_a_late_one_none() -> None:
    """The same number and id are the same call; an older number, or the same one with another id, is refused."""
    desk = Desk()
    desk.ask(state=True)
    request = desk.request(order())
    answer = desk.call(request)
    assert desk.call(request) == answer
    assert len(desk.working) == 1
    newer = desk.request(pending_order_ids=list(desk.working))
    desk.call(newer)
    with pytest.raises(LateCall):
        desk.engine.authorise(request)
    with pytest.raises(LateCall):
        desk.engine.authorise(desk.request(order(), number=newer.number))


def test_what_is_neither_reported_nor_pending_is_given_up() -> None:
    """By the writer's next call, and by nobody else's."""
    desk = Desk()
    first, second, third = order(), order(), order()
    desk.ask(first, second, third, state=True)
    desk.ask(writer="two")
    assert len(desk.working) == 3
    desk.ask(pending_order_ids=[first.order_id], **told(report(desk.kept, second), last=1))
    assert desk.working == {first.order_id, second.order_id}
    desk.ask()
    assert desk.working == {second.order_id}


def test_a_new_life_of_a_writer_gives_up_what_the_old_one_had() -> None:
    """It begins at one again, with another id."""
    desk = Desk()
    desk.ask(order(), state=True)
    assert desk.working
    desk.call(desk.request(number=1))
    assert not desk.working


def test_who_tells_the_whole_state_has_the_account() -> None:
    """What another writer had on its way cannot be committed any more."""
    desk = Desk()
    desk.ask(order(), state=True)
    desk.ask(writer="two", state=True)
    assert not desk.working


def test_a_state_that_is_older_is_left_out() -> None:
    """It was overtaken by reports."""
    desk = Desk()
    first = order()
    old = desk.kept.state()
    desk.ask(first, state=True)
    desk.ask(**told(report(desk.kept, first), last=1))
    desk.ask(accounts=[pb.AccountReports(account="alpha", state=old)])
    assert desk.working == {first.order_id}
    assert desk.bench.alpha.sequence == 1


def test_a_correction_of_a_fill_that_is_not_known_asks_for_the_state() -> None:
    """Taken back with what the report says; corrected only if what it was is known."""
    desk = Desk()
    bought = order(quantity="1000")
    desk.ask(bought, state=True)
    fill = execution_pb2.Fill(venue="sim", venue_exec_id="f1", quantity="1000", price="1.1")
    bought.status, bought.cum_quantity, bought.leaves_quantity = order_pb2.ORDER_STATUS_FILLED, "1000", "0"
    trade = report(desk.kept, bought, execution_pb2.EXEC_TYPE_TRADE)
    trade.fill.CopyFrom(fill)
    desk.ask(**told(trade, last=1))
    slot = desk.bench.alpha.group.slots["EUR/USD"]
    assert slot.position == 1000 * 10_000
    fill.quantity = "400"
    corrected = report(desk.kept, bought, execution_pb2.EXEC_TYPE_TRADE_CORRECT)
    corrected.fill.CopyFrom(fill)
    corrected.exec_ref_id = "f1"
    desk.ask(**told(corrected, last=2))
    assert slot.position == 400 * 10_000
    unknown = report(desk.kept, bought, execution_pb2.EXEC_TYPE_TRADE_CORRECT)
    unknown.fill.CopyFrom(fill)
    unknown.exec_ref_id = "f9"
    assert list(desk.ask(**told(unknown, last=3)).missing_accounts) == ["alpha"]


def test_an_order_that_cannot_be_read_is_named() -> None:
    """By its place; a quantity with five places is none."""
    desk = Desk()
    desk.ask(state=True)
    bad = order()
    bad.terms.quantity = "1.00001"
    with pytest.raises(BadOrder) as caught:
        desk.engine.authorise(desk.request(order(), bad))
    assert caught.value.place == 1


def test_bytes_are_what_the_generated_classes_write() -> None:
    """Every check of passed and refused orders, with fractions, negative headroom and long texts, read and written
    again."""
    bench = Bench(*BEGINNING, count("account:alpha", Check.ORDER_QUANTITY, "1000.5"))
    bench.open("gamma", currency="EUR")
    orders = [
        bench.order(1, "1000.5", "0.9999"),
        bench.order(1, "1000.5001"),
        bench.order(-1, "2", "1.00001", account="gamma"),
        bench.order(instrument="EUR/XXX"),
    ]
    outcomes = bench.ask(*orders)
    answer = pb.AuthoriseResponse.FromString(response(outcomes, 7, 300, Quotes()))
    assert answer.gate_version == 300
    for outcome, said in zip(outcomes, answer.authorisations, strict=True):
        assert said.authorised == outcome.authorised
        made = []
        for row, passed, limit, value, text in outcome.checks:
            check = check_pb2.Check(
                kind=int(row.kind),
                scope=row.scope,
                passed=passed,
                unit=row.unit,
                text=text or row.words,
                limits_version=7,
            )
            if value is not None and limit is not None:
                check.limit, check.value, check.headroom = map(text_of, (limit, value, limit - value))
            made.append(check)
        assert list(said.checks) == made
        if outcome.instrument is not None:
            assert said.quote_seen.source == "test"
            assert said.margin_currency == outcome.currency
            assert said.margin_after == text_of(outcome.margin_after)
    assert [varint(n) for n in (0, 127, 128, 300)] == [b"\x00", b"\x7f", b"\x80\x01", b"\xac\x02"]
