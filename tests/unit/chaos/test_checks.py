"""What the books are checked for: each check finds what it is for, and takes nothing else for it."""

from __future__ import annotations

import itertools

from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_pb2
from tests.chaos.books import Book
from tests.chaos.checker import Broken
from tests.chaos.order_checks import admitted, dealt_far_away, reduced

BUY, SELL = order_pb2.SIDE_BUY, order_pb2.SIDE_SELL


class Journal:
    """Writes reports of one account into a book."""

    def __init__(self) -> None:
        self.book = Book("alpha")
        self._numbers = itertools.count(1)

    def report(self, name: str, kind: int, side: int, quantity: str, filled: str = "") -> int:
        """The next report; returns its number."""
        number = next(self._numbers)
        report = execution.ExecutionReport(sequence=number, exec_type=kind)
        report.order.order_id = name
        report.order.status = order_pb2.ORDER_STATUS_NEW
        terms = report.order.terms
        terms.client_order_id, terms.instrument, terms.side, terms.quantity = name, "EUR/USD", side, quantity
        if filled:
            report.fill.venue, report.fill.venue_exec_id = "sim", f"{name}/{number}"
            report.fill.quantity, report.fill.price = filled, "1.1"
        self.book.take(number, report)
        return number


def test_what_is_entered_behind_a_kill_is_found() -> None:
    """An order before it is none, one that was refused is none, and one behind it is."""
    journal = Journal()
    head = journal.report("before", execution.EXEC_TYPE_PENDING_NEW, BUY, "1000")
    journal.report("refused", execution.EXEC_TYPE_REJECTED, BUY, "1000")
    assert admitted(journal.book, head) == []
    journal.report("behind", execution.EXEC_TYPE_PENDING_NEW, BUY, "1000")
    (problem,) = admitted(journal.book, head)
    assert problem.broken is Broken.ADMITTED
    assert "1 behind 1, as ['behind']" in problem.what


def test_a_reduction_passes_a_kill_and_what_turns_a_position_does_not() -> None:
    """A sale of what is held reduces; a sale of more, a purchase, and a sale without a position do not."""
    journal = Journal()
    journal.report("held", execution.EXEC_TYPE_PENDING_NEW, BUY, "5000")
    head = journal.report("held", execution.EXEC_TYPE_TRADE, BUY, "5000", filled="5000")
    journal.report("all", execution.EXEC_TYPE_PENDING_NEW, SELL, "5000")
    assert admitted(journal.book, head) == []
    assert reduced(journal.book, head) == 1
    journal.report("more", execution.EXEC_TYPE_PENDING_NEW, SELL, "5001")
    journal.report("other", execution.EXEC_TYPE_PENDING_NEW, BUY, "1")
    (problem,) = admitted(journal.book, head)
    assert "['more', 'other']" in problem.what
    assert reduced(journal.book, head) == 1


def test_a_deal_far_from_the_market_is_found() -> None:
    """An account whose orders cannot deal has no fills."""
    journal = Journal()
    journal.report("resting", execution.EXEC_TYPE_PENDING_NEW, BUY, "1000")
    assert dealt_far_away(journal.book) == []
    journal.report("resting", execution.EXEC_TYPE_TRADE, BUY, "1000", filled="1000")
    (problem,) = dealt_far_away(journal.book)
    assert problem.broken is Broken.PHANTOM
