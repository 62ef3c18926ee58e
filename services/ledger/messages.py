"""Entries and books as messages, and back. One entry has one encoding, and one book has one."""

from __future__ import annotations

import datetime as dt
from collections import deque

from google.type import date_pb2

from crossrate.api.ledger.v1 import account_pb2, book_pb2, entry_pb2
from services.ledger.domain import amounts
from services.ledger.domain.book import Book, Earnings
from services.ledger.domain.entry import (
    Deal,
    Entry,
    FinancingLine,
    Kind,
    LedgerKind,
    Posting,
    Purpose,
    Trade,
)
from services.ledger.domain.position import CostMethod, Flow, Lot, Position

NS = 1_000_000_000


def date_of(message: date_pb2.Date) -> dt.date:
    """A date.

    Raises:
        ValueError: it is none.
    """
    return dt.date(message.year, message.month, message.day)


def date_message(day: dt.date) -> date_pb2.Date:
    """A date as a message."""
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def _maybe_date(holder: object, name: str) -> dt.date | None:
    return date_of(getattr(holder, name)) if holder.HasField(name) else None  # type: ignore[attr-defined]


def entry_message(entry: Entry) -> entry_pb2.Entry:
    """An entry as a message."""
    message = entry_pb2.Entry(
        sequence=entry.sequence,
        account=entry.account,
        kind=entry.kind.value,
        reference=entry.reference,
        postings=[_posting_message(posting) for posting in entry.postings],
        cancelled_trade_id=entry.cancelled_trade_id,
        execution_sequence=entry.execution_sequence,
        financing=[_line_message(line) for line in entry.financing],
        reverses=entry.reverses,
        entered_by=entry.entered_by,
        approved_by=entry.approved_by,
        text=entry.text,
    )
    if entry.trade is not None:
        message.trade.CopyFrom(trade_message(entry.trade))
    if entry.trade_date is not None:
        message.trade_date.CopyFrom(date_message(entry.trade_date))
    message.time.seconds, message.time.nanos = divmod(entry.time_ns, NS)
    return message


def entry_of(message: entry_pb2.Entry) -> Entry:
    """An entry from its message."""
    return Entry(
        account=message.account,
        kind=Kind(message.kind),
        reference=message.reference,
        time_ns=message.time.seconds * NS + message.time.nanos,
        postings=tuple(_posting_of(posting) for posting in message.postings),
        trade=trade_of(message.trade) if message.HasField("trade") else None,
        cancelled_trade_id=message.cancelled_trade_id,
        execution_sequence=message.execution_sequence,
        financing=tuple(_line_of(line) for line in message.financing),
        trade_date=_maybe_date(message, "trade_date"),
        reverses=message.reverses,
        entered_by=message.entered_by,
        approved_by=message.approved_by,
        text=message.text,
        sequence=message.sequence,
    )


def _posting_message(posting: Posting) -> entry_pb2.Posting:
    return entry_pb2.Posting(
        ledger=posting.ledger.value,
        currency=posting.currency,
        amount=amounts.money_text(posting.amount),
        value_date=date_message(posting.value_date),
        purpose=posting.purpose.value,
        instrument=posting.instrument,
        position_id=posting.position_id,
        counterparty=posting.counterparty,
    )


def _posting_of(message: entry_pb2.Posting) -> Posting:
    return Posting(
        LedgerKind(message.ledger),
        message.currency,
        amounts.money(message.amount),
        date_of(message.value_date),
        Purpose(message.purpose),
        message.instrument,
        message.position_id,
        message.counterparty,
    )


def trade_message(trade: Trade) -> entry_pb2.Trade:
    """A trade as a message."""
    message = entry_pb2.Trade(
        trade_id=trade.trade_id,
        counterparty=trade.counterparty,
        instrument=trade.instrument,
        position_id=trade.position_id,
        commission=amounts.money_text(trade.commission) if trade.commission else "",
        commission_currency=trade.commission_currency,
    )
    for each in trade.deals:
        message.deals.add(
            quantity=amounts.quantity_text(each.quantity),
            price=amounts.price_text(each.price),
            value_date=date_message(each.value_date),
        )
    if trade.trade_date is not None:
        message.trade_date.CopyFrom(date_message(trade.trade_date))
    return message


def trade_of(message: entry_pb2.Trade) -> Trade:
    """A trade from its message."""
    return Trade(
        message.trade_id,
        message.counterparty,
        message.instrument,
        message.position_id,
        tuple(
            Deal(amounts.quantity(each.quantity), amounts.price(each.price), date_of(each.value_date))
            for each in message.deals
        ),
        _maybe_date(message, "trade_date"),
        amounts.money(message.commission or "0"),
        message.commission_currency,
    )


def _line_message(line: FinancingLine) -> entry_pb2.FinancingLine:
    return entry_pb2.FinancingLine(
        instrument=line.instrument,
        position_id=line.position_id,
        quantity=amounts.quantity_text(line.quantity),
        from_date=date_message(line.from_date),
        to_date=date_message(line.to_date),
        days=line.days,
        points=amounts.price_text(line.points),
        amount=amounts.money_text(line.amount),
        source=line.source,
    )


def _line_of(message: entry_pb2.FinancingLine) -> FinancingLine:
    return FinancingLine(
        message.instrument,
        message.position_id,
        amounts.quantity(message.quantity),
        date_of(message.from_date),
        date_of(message.to_date),
        amounts.price(message.points),
        amounts.money(message.amount),
        message.source,
    )


def cash_message(currency: str, day: dt.date | None, amount: int) -> book_pb2.CashAmount:
    """Cash of a currency; without a day it has settled."""
    message = book_pb2.CashAmount(currency=currency, amount=amounts.money_text(amount))
    if day is not None:
        message.value_date.CopyFrom(date_message(day))
    return message


def cash_messages(book: Book) -> list[book_pb2.CashAmount]:
    """All cash of a book, by currency and value date, what has settled first."""
    ordered = sorted(book.cash.items(), key=lambda item: (item[0][0], item[0][1] or dt.date.min))
    return [cash_message(currency, day, amount) for (currency, day), amount in ordered]


def flow_messages(position: Position) -> list[book_pb2.PositionFlow]:
    """What settles of a position, by value date."""
    return [
        book_pb2.PositionFlow(
            value_date=date_message(day),
            base_amount=amounts.quantity_text(flow.base),
            counter_amount=amounts.money_text(flow.counter),
        )
        for day, flow in sorted(position.flows.items())
    ]


def lot_messages(position: Position) -> list[book_pb2.Lot]:
    """What is open of which deals, oldest first."""
    return [
        book_pb2.Lot(quantity=amounts.quantity_text(lot.quantity), counter_amount=amounts.money_text(lot.money))
        for lot in position.lots
    ]


def book_message(book: Book) -> book_pb2.Book:
    """A book as a message: everything in order, so that equal books have equal bytes."""
    mode = account_pb2.POSITION_MODE_HEDGING if book.hedging else account_pb2.POSITION_MODE_NETTING
    message = book_pb2.Book(
        account=book.account,
        position_mode=mode,
        cost_method=book.cost_method.value,
        cash=cash_messages(book),
        last_entry=book.last_entry,
        execution_sequence=book.execution_sequence,
    )
    for (instrument, position_id), position in sorted(book.positions.items()):
        message.positions.add(
            instrument=instrument,
            position_id=position_id,
            lots=lot_messages(position),
            flows=flow_messages(position),
        )
    for currency, earned in sorted(book.earnings.items()):
        message.earnings.add(
            currency=currency,
            realised=amounts.money_text(earned.realised),
            commission=amounts.money_text(earned.commission),
            financing=amounts.money_text(earned.financing),
            adjustment=amounts.money_text(earned.adjustment),
            transferred=amounts.money_text(earned.transferred),
        )
    message.movements.extend(movement_messages(book))
    return message


def movement_messages(book: Book) -> list[book_pb2.PositionMovement]:
    """What no execution report tells of positions."""
    return [
        book_pb2.PositionMovement(
            instrument=instrument,
            position_id=position_id,
            quantity=amounts.quantity_text(quantity),
            counter_amount=amounts.money_text(money),
        )
        for (instrument, position_id), (quantity, money) in sorted(book.movements.items())
    ]


def book_of(message: book_pb2.Book) -> Book:
    """A book from its message."""
    book = Book(
        message.account,
        message.position_mode == account_pb2.POSITION_MODE_HEDGING,
        CostMethod(message.cost_method),
        last_entry=message.last_entry,
        execution_sequence=message.execution_sequence,
    )
    for cash in message.cash:
        book.cash[cash.currency, _maybe_date(cash, "value_date")] = amounts.money(cash.amount)
    for each in message.positions:
        lots = deque(Lot(amounts.quantity(lot.quantity), amounts.money(lot.counter_amount)) for lot in each.lots)
        flows = {
            date_of(flow.value_date): Flow(amounts.quantity(flow.base_amount), amounts.money(flow.counter_amount))
            for flow in each.flows
        }
        book.positions[each.instrument, each.position_id] = Position(lots, flows)
    for each in message.earnings:
        told = (each.realised, each.commission, each.financing, each.adjustment, each.transferred)
        book.earnings[each.currency] = Earnings(*map(amounts.money, told))
    for each in message.movements:
        moved = [amounts.quantity(each.quantity), amounts.money(each.counter_amount)]
        book.movements[each.instrument, each.position_id] = moved
    return book


def encoded(book: Book) -> bytes:
    """A book's bytes."""
    return book_message(book).SerializeToString(deterministic=True)


def new_book(account: account_pb2.Account) -> Book:
    """The book of an account without entries."""
    return Book(
        account.account,
        account.position_mode == account_pb2.POSITION_MODE_HEDGING,
        CostMethod(account.cost_method),
    )
