"""Postings of what is dealt. Every amount has its other side in clearing, with whom it was dealt."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.ledger.domain.amounts import BASE_UNIT
from services.ledger.domain.entry import LedgerKind, Posting, Purpose, Trade


def exchange(trade: Trade, quantity: int, price: int, value_date: date) -> list[Posting]:
    """Base against counter currency, for the position and against the counterparty."""
    base, counter = trade.instrument.split("/")
    postings: list[Posting] = []
    for currency, money in ((base, quantity * BASE_UNIT), (counter, -quantity * price)):
        where = (value_date, Purpose.DEAL, trade.instrument, trade.position_id)
        posting = Posting(LedgerKind.POSITION, currency, money, *where)
        postings += [posting, other_side(posting, trade.counterparty)]
    return postings


def profit(trade: Trade, realised: int, value_date: date) -> list[Posting]:
    """What was realised, from the position to cash."""
    if not realised:
        return []
    counter = trade.instrument.split("/")[1]
    where = (value_date, Purpose.REALISED, trade.instrument, trade.position_id)
    return [
        Posting(LedgerKind.POSITION, counter, -realised, *where),
        Posting(LedgerKind.CASH, counter, realised, *where),
    ]


def commission(trade: Trade, sign: int) -> list[Posting]:
    """What the counterparty takes, with the value date of the first deal; sign -1 gives it back."""
    if not trade.commission:
        return []
    where = (trade.deals[0].value_date, Purpose.COMMISSION, trade.instrument, trade.position_id)
    paid = Posting(LedgerKind.CASH, trade.commission_currency, -sign * trade.commission, *where)
    return [paid, other_side(paid, trade.counterparty)]


def transfer(currency: str, amount: int, value_date: date, purpose: Purpose, counterparty: str) -> tuple[Posting, ...]:
    """Money in (positive) or out, with its other side."""
    cash = Posting(LedgerKind.CASH, currency, amount, value_date, purpose)
    return cash, other_side(cash, counterparty)


def other_side(posting: Posting, counterparty: str) -> Posting:
    """The clearing side of a posting."""
    return replace(posting, ledger=LedgerKind.CLEARING, amount=-posting.amount, counterparty=counterparty)
