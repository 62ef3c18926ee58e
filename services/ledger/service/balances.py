"""What an account has, as messages."""

from __future__ import annotations

from crossrate.api.ledger.v1 import account_pb2, balance_pb2, book_pb2
from services.ledger import messages
from services.ledger.domain import amounts
from services.ledger.domain.amounts import money_text, price_text
from services.ledger.domain.book import Book
from services.ledger.domain.valuation import (
    LEVEL_ONE,
    RATE_ONE,
    MarginTerms,
    Unvalued,
    Worth,
    exchanged,
    told,
    unrealised,
    worth,
)
from services.ledger.market import Market, Seen
from services.ledger.settings import Settings
from services.ledger.store.books import Kept

LEVEL_PLACES = len(str(LEVEL_ONE)) - 1
RATE_PLACES = len(str(RATE_ONE)) - 1


def margin_terms(kept: Kept, settings: Settings) -> MarginTerms:
    """An account's margin rate and its levels: its own, its desk's or the platform's, each by itself."""
    platform = platform_levels(settings)
    both = (kept.account.margin_levels, kept.desk_levels, platform)
    call = next(each.call for each in both if each.call)
    close_out = next(each.close_out for each in both if each.close_out)
    return MarginTerms(
        amounts.number(kept.account.margin_rate, RATE_PLACES),
        amounts.number(call, LEVEL_PLACES),
        amounts.number(close_out, LEVEL_PLACES),
    )


def platform_levels(settings: Settings) -> account_pb2.MarginLevels:
    """The levels of whoever has none."""
    return levels_message(settings.margin_call_level, settings.close_out_level)


def levels_message(call: int, close_out: int) -> account_pb2.MarginLevels:
    """Levels in 1/10,000 as a message."""
    return account_pb2.MarginLevels(
        call=amounts.text(call, LEVEL_PLACES), close_out=amounts.text(close_out, LEVEL_PLACES)
    )


def balances_of(kept: Kept, terms: MarginTerms, market: Market) -> balance_pb2.Balances:
    """Cash, equity and margin."""
    seen = Seen(market)
    value = worth(kept.book, kept.account.currency, terms, seen)
    level = value.margin_level
    return balance_pb2.Balances(
        account=kept.account.account,
        currency=value.currency,
        cash=messages.cash_messages(kept.book),
        cash_value=_told(value.cash, value),
        unrealised=_told(value.unrealised, value),
        equity=_told(value.equity, value),
        margin_used=_told(value.margin_used, value),
        margin_free=_told(value.margin_free, value),
        margin_level=amounts.text(level, LEVEL_PLACES) if level is not None else "",
        margin_state=value.state(terms).value,
        marks=seen.marks(),
        unvalued=value.unvalued,
        last_entry=kept.book.last_entry,
        execution_sequence=kept.execution_sequence,
        fault=kept.fault,
    )


def _told(money: int, value: Worth) -> str:
    return money_text(told(money, value.currency))


def positions_of(kept: Kept, instrument: str, market: Market) -> list[balance_pb2.Position]:
    """Positions, valued where there is a price."""
    currency = kept.account.currency
    found = []
    for key, position in sorted(kept.book.positions.items()):
        if instrument and key[0] != instrument:
            continue
        quantity, money = position.quantity, position.money
        message = balance_pb2.Position(
            instrument=key[0],
            position_id=key[1],
            quantity=amounts.quantity_text(quantity),
            average_price=price_text(amounts.divided(-money, quantity)) if quantity else "",
            counter_amount=money_text(money),
            flows=messages.flow_messages(position),
            lots=messages.lot_messages(position),
        )
        try:
            profit = unrealised(key, position, market.price)
            message.unrealised_counter = money_text(profit)
            inside = exchanged(profit, key[0].split("/")[1], currency, market.price)
            message.unrealised = money_text(told(inside, currency))
        except Unvalued:
            pass
        if (mark := market.mark(key[0])) is not None:
            message.mark.CopyFrom(mark)
        found.append(message)
    return found


def equity_of(kept: Kept, terms: MarginTerms, market: Market | None) -> balance_pb2.Equity:
    """Cash, what of it no price of a fill tells, and margin where there is a market to value it by."""
    book = kept.book
    return balance_pb2.Equity(
        margin_levels=levels_message(terms.call_level, terms.close_out_level),
        margin=_margin_of(kept, terms, market) if market is not None else None,
        account=kept.account.account,
        execution_sequence=kept.execution_sequence,
        last_entry=book.last_entry,
        cash=_amounts(book.cash_by_currency()),
        non_trade=_amounts({currency: earned.non_trade for currency, earned in book.earnings.items()}),
        commissions=_amounts({currency: earned.commission for currency, earned in book.earnings.items()}),
        movements=messages.movement_messages(book),
        fault=kept.fault,
    )


def _amounts(money: dict[str, int]) -> list[book_pb2.CashAmount]:
    return [messages.cash_message(currency, None, amount) for currency, amount in sorted(money.items()) if amount]


def _margin_of(kept: Kept, terms: MarginTerms, market: Market) -> balance_pb2.MarginFigures:
    value = worth(kept.book, kept.account.currency, terms, market.price)
    level = value.margin_level
    return balance_pb2.MarginFigures(
        currency=value.currency,
        equity=_told(value.equity, value),
        used=_told(value.margin_used, value),
        free=_told(value.margin_free, value),
        level=amounts.text(level, LEVEL_PLACES) if level is not None else "",
        state=value.state(terms).value,
        unvalued=value.unvalued,
    )


_PARTS = ("realised", "commission", "financing", "adjustment")


def profit_of(
    kept: Kept, before: Book | None, market: Market
) -> tuple[list[balance_pb2.ProfitAndLoss], balance_pb2.ProfitAndLoss, list[str]]:
    """Profit by currency, all in the account's currency, and what has no price; earnings of `before` do not count."""
    earned = {currency: _parts(kept.book, currency) for currency in kept.book.earnings}
    for currency in before.earnings if before is not None else ():
        assert before is not None
        earned[currency] = [a - b for a, b in zip(earned[currency], _parts(before, currency), strict=True)]
    open_profit: dict[str, int] = {}
    unvalued: set[str] = set()
    blind: set[str] = set()
    for key, position in kept.book.positions.items():
        counter = key[0].split("/")[1]
        earned.setdefault(counter, [0] * len(_PARTS))
        try:
            open_profit[counter] = open_profit.get(counter, 0) + unrealised(key, position, market.price)
        except Unvalued as missing:
            unvalued.add(missing.instrument)
            blind.add(counter)
    total = [0] * (len(_PARTS) + 1)
    rows = []
    for currency, parts in sorted(earned.items()):
        rows.append(_row(currency, [*parts, open_profit.get(currency, 0)], currency in blind))
        try:
            inside = [
                exchanged(each, currency, kept.account.currency, market.price)
                for each in (*parts, open_profit.get(currency, 0))
            ]
        except Unvalued as missing:
            unvalued.add(missing.instrument)
            continue
        total = [a + b for a, b in zip(total, inside, strict=True)]
    rounded = [told(each, kept.account.currency) for each in total]
    return rows, _row(kept.account.currency, rounded, bool(unvalued)), sorted(unvalued)


def _parts(book: Book, currency: str) -> list[int]:
    return [getattr(book.earnings[currency], name) for name in _PARTS]


def _row(currency: str, parts: list[int], blind: bool) -> balance_pb2.ProfitAndLoss:
    row = balance_pb2.ProfitAndLoss(currency=currency, net=money_text(sum(parts)))
    for name, amount in zip((*_PARTS, "unrealised"), parts, strict=True):
        setattr(row, name, money_text(amount))
    if blind:
        row.unrealised = ""
    return row
