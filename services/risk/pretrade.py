"""Authorise and Report as a state machine in memory: who wrote last, what is on its way, what is not known.

A reservation is given up by the writer's next call that neither reports its order nor names it as pending. Calls of a
writer are numbered: one that is late is refused, one that is repeated gets the answer that it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from crossrate.api.risk.v1 import pretrade_service_pb2 as pb
from services.risk.domain.pretrade.accounts import Account, Book
from services.risk.domain.pretrade.authorise import Authoriser
from services.risk.messages.checks import Quotes, response
from services.risk.messages.orders import asked_of, take_report, take_state

WRITERS_MAX = 1024
"""Writers remembered; the one that was silent for longest is forgotten first, if nothing of it is on its way."""


class LateCall(Exception):
    """A call of a writer that is older than its newest one."""

    def __init__(self, number: int, newest: int) -> None:
        super().__init__(f"call {number} comes after call {newest} of the same writer")
        self.number = number
        self.newest = newest


class BadOrder(Exception):
    """An order that cannot be read: its place among the orders, and what is wrong."""

    def __init__(self, place: int, why: str) -> None:
        super().__init__(f"orders[{place}]: {why}")
        self.place = place
        self.why = why


@dataclass(slots=True)
class Writer:
    """One writer of trading: its newest call, the first of its life, and what of it is on its way to a commit."""

    number: int = 0
    request_id: str = ""
    first_request_id: str = ""
    answer: bytes = b""
    pending: dict[str, str] = field(default_factory=dict)


class PreTrade:
    """See the module.

    Args:
        book: what accounts hold and have working.
        authoriser: the checks.
        now_ns: the clock, ns since 1970, UTC.
        value_ns: how often everything is valued anew.
    """

    def __init__(self, book: Book, authoriser: Authoriser, now_ns: Callable[[], int], value_ns: int) -> None:
        self.book = book
        self.authoriser = authoriser
        self._now_ns = now_ns
        self._value_ns = value_ns
        self._quotes = Quotes()
        self._writers: dict[str, Writer] = {}

    def authorise(self, request: pb.AuthoriseRequest) -> bytes:
        """An AuthoriseResponse as bytes.

        Raises:
            LateCall: a newer call of the writer came before.
            BadOrder: an order cannot be read; nothing was changed by the orders, reports were taken.
        """
        writer = self._writer(request)
        if writer.number == request.number and writer.request_id == request.request_id:
            return writer.answer
        self._begin(writer, request)
        missing = self._take(writer, request.writer, request.accounts, request.pending_order_ids)
        orders = []
        for place, each in enumerate(request.orders):
            try:
                orders.append((asked_of(each.order), each.amends))
            except ValueError as error:
                raise BadOrder(place, str(error)) from None
        book = self.book
        for order, _ in orders:
            if not book.account(order.account).known:
                missing[order.account] = None
        version = self.authoriser.gate.version
        if missing:
            return self._answered(
                writer, pb.AuthoriseResponse(missing_accounts=list(missing), gate_version=version).SerializeToString()
            )
        now_ns = self._now_ns()
        market = book.market
        if now_ns - market.valued_ns >= self._value_ns:
            market.revalue(now_ns)
        outcomes = self.authoriser.authorise(orders, request.groups, now_ns, validate_only=request.validate_only)
        if not request.validate_only:
            for (order, _), outcome in zip(orders, outcomes, strict=True):
                if outcome.authorised:
                    writer.pending[order.order_id] = order.account
        return self._answered(writer, response(outcomes, book.limits.version, version, self._quotes))

    def report(self, request: pb.ReportRequest) -> bytes:
        """A ReportResponse as bytes.

        Raises:
            LateCall: a newer call of the writer came before.
        """
        writer = self._writer(request)
        if writer.number == request.number and writer.request_id == request.request_id:
            return writer.answer
        self._begin(writer, request)
        missing = self._take(writer, request.writer, request.accounts, request.pending_order_ids)
        return self._answered(writer, pb.ReportResponse(missing_accounts=list(missing)).SerializeToString())

    def _answered(self, writer: Writer, answer: bytes) -> bytes:
        writer.answer = answer
        return answer

    def _writer(self, request: Any) -> Writer:
        name = request.writer
        writer = self._writers.pop(name, None) or Writer()
        self._writers[name] = writer
        if len(self._writers) > WRITERS_MAX:
            for other, known in list(self._writers.items()):
                if not known.pending and other != name:
                    del self._writers[other]
                    break
        return writer

    def _begin(self, writer: Writer, request: Any) -> None:
        number, request_id = request.number, request.request_id
        if number == 1 and writer.first_request_id != request_id:
            # A new life of the writer: nothing of the one before is on its way any more, its commits are fenced.
            self._give_up(writer, ())
            writer.first_request_id = request_id
        elif number <= writer.number:
            raise LateCall(number, writer.number)
        writer.number, writer.request_id, writer.answer = number, request_id, b""

    def _take(self, writer: Writer, name: str, accounts: Iterable[Any], pending: Iterable[str]) -> dict[str, None]:
        missing: dict[str, None] = {}
        book, kept = self.book, set(pending)
        for each in accounts:
            account = book.account(each.account)
            if each.HasField("state") and (not account.known or each.state.sequence >= account.sequence):
                self._take_state(writer, name, account, each.state, kept)
            if not account.known:
                missing[account.name] = None
                continue
            for report in each.reports:
                if report.sequence <= account.sequence:
                    continue
                if report.sequence != account.sequence + 1 or not take_report(book, account, report):
                    account.known = False
                    missing[account.name] = None
                    break
            if account.known and each.last_sequence > account.sequence:
                account.known = False
                missing[account.name] = None
        self._give_up(writer, kept)
        return missing

    def _take_state(self, writer: Writer, name: str, account: Account, state: Any, kept: set[str]) -> None:
        keep = {order_id for order_id in writer.pending if order_id in kept}
        take_state(self.book, account, state, keep)
        for other, known in self._writers.items():
            if other != name:
                # Whoever tells the whole state has taken the account over: another writer's commits are fenced.
                for order_id in [each for each, owner in known.pending.items() if owner == account.name]:
                    del known.pending[order_id]

    def _give_up(self, writer: Writer, kept: Iterable[str]) -> None:
        pending = writer.pending
        if not pending:
            return
        for order_id in [each for each in pending if each not in kept]:
            self.book.give_up(self.book.account(pending.pop(order_id)), order_id)
