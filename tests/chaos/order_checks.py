"""What clients of orders were promised, against the books."""

from __future__ import annotations

import collections

from crossrate.api.trading.v1 import order_pb2
from tests.chaos.books import ENDED, Book, Books
from tests.chaos.checker import Broken, Problem
from tests.chaos.diary import ENTRIES, Promises

SHOWN_MAX = 5


def check_promises(promises: Promises, books: Books) -> list[Problem]:
    """Every promised order is there once as it was promised, and none that nobody asked for."""
    problems = _entered(promises, books) + _answers(promises)
    for ask in promises.asked.values():
        if ask.call == "cancel" and ask.answers:
            problems += [each for name in ask.orders for each in _cancelled(books.book(ask.account), name)]
    return problems


def _entered(promises: Promises, books: Books) -> list[Problem]:
    lost, differs, twice, phantom = [], [], [], []
    for (account, name), (order_id, status) in promises.promised().items():
        there = books.book(account).entered.get(name, set())
        if not there:
            lost.append(f"{account}/{name}")
        elif order_id and order_id not in there:
            differs.append(f"{account}/{name}: {order_id} was told, {sorted(there)} are there")
        elif status == order_pb2.ORDER_STATUS_REJECTED:
            order = books.book(account).orders[order_id]
            if order.status != order_pb2.ORDER_STATUS_REJECTED:
                differs.append(f"{account}/{name}: it was told as refused")
    sent = promises.sent()
    for account, book in books.accounts.items():
        for name, ids in book.entered.items():
            if len(ids) > 1:
                twice.append(f"{account}/{name}: {sorted(ids)}")
            if (account, name) not in sent:
                phantom.append(f"{account}/{name}")
    return [
        Problem(broken, "orders", f"{len(found)}, as {', '.join(found[:SHOWN_MAX])}")
        for broken, found in (
            (Broken.LOST, lost),
            (Broken.DIFFERS, differs),
            (Broken.TWICE, twice),
            (Broken.PHANTOM, phantom),
        )
        if found
    ]


def _answers(promises: Promises) -> list[Problem]:
    """Who repeats an entry gets the same answer."""
    return [
        Problem(Broken.DIFFERS, f"answers to {op}", f"{len(set(ask.answers))} different ones to one {ask.call}")
        for op, ask in promises.asked.items()
        if ask.call in ENTRIES and len(set(ask.answers) - {""}) > 1
    ]


def _cancelled(book: Book, name: str) -> list[Problem]:
    """A cancel that was answered had its effect, or the order ended before; or its venue refused, and it works."""
    for order_id in book.entered.get(name, ()):
        order = book.orders[order_id]
        if order.status not in ENDED and order.status not in (
            order_pb2.ORDER_STATUS_NEW,
            order_pb2.ORDER_STATUS_PARTIALLY_FILLED,
        ):
            status = order_pb2.OrderStatus.Name(order.status)
            return [Problem(Broken.LOST, f"cancel of {book.account}/{name}", f"it is {status}")]
    return []


def admitted(book: Book, head: int) -> list[Problem]:
    """After the report at which a kill was committed, nothing is entered but what makes a position smaller."""
    late = [order_id for order_id, number in book.first.items() if number > head and order_id not in book.reducing]
    if not late:
        return []
    return [Problem(Broken.ADMITTED, f"account {book.account}", f"{len(late)} behind {head}, as {late[:SHOWN_MAX]}")]


def reduced(book: Book, head: int) -> int:
    """How many orders behind a report could only make a position smaller."""
    return sum(number > head and order_id in book.reducing for order_id, number in book.first.items())


def dealt_far_away(book: Book) -> list[Problem]:
    """No order of an account whose orders are three percent away from the market has dealt."""
    return [
        Problem(Broken.PHANTOM, f"fill of {book.account}", f"{key} of {order_id} at {fill.price}")
        for key, (order_id, fill) in book.fills.items()
    ]


def counted(promises: Promises) -> collections.Counter[str]:
    """How many operations of each kind, by how they ended."""
    counts: collections.Counter[str] = collections.Counter()
    for ask in promises.asked.values():
        outcome = "answered" if ask.answers else "refused" if len(ask.errors) > ask.silent else "unknown"
        counts[f"{ask.call} {outcome}"] += 1
        counts["attempts without an outcome"] += ask.silent
    return counts
