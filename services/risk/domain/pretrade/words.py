"""What people are told when a check fails: what it is, and what to do."""

from __future__ import annotations

from services.risk.domain.pretrade.amounts import text_of
from services.risk.domain.pretrade.checks import Row
from services.risk.domain.pretrade.limits import Check

_REMEDIES = {
    Check.PRICE_COLLAR: "the price is beyond the market by more than is allowed: look at the price, or come nearer",
    Check.ORDER_QUANTITY: "enter less in one order, or have the limit raised",
    Check.ORDER_NOTIONAL: "enter less in one order, or have the limit raised",
    Check.POSITION: "with everything that works on this side: enter less, or cancel what works",
    Check.CURRENCY_EXPOSURE: "with everything that works: enter less, or cancel what works",
    Check.GROSS_EXPOSURE: "with everything that works: enter less, cancel what works, or close positions",
    Check.NET_EXPOSURE: "with everything that works: enter less, or hedge first",
    Check.CONCENTRATION: "too much would be in this one instrument: enter less of it",
    Check.MARGIN: "margin used would be above equity: enter less, close positions, or deposit",
    Check.DAILY_LOSS: "more was lost since the roll of the day than is allowed: until the next only reduce",
    Check.ORDER_RATE: "too many orders in the window: wait",
    Check.DUPLICATE: "too many orders alike in the window: if that is meant, wait or vary them",
    Check.OPEN_ORDERS: "too many orders work: cancel some",
}


def failed(row: Row, limit: int, value: int) -> str:
    """Words for a value above its limit."""
    unit = "" if row.unit in ("", "1") else f" {row.unit}"
    what = row.kind.name.replace("_", " ").lower()
    about = f" ({row.words})" if row.words else ""
    return f"{what}{about} of {text_of(value)}{unit} is above {text_of(limit)} of {row.scope}: {_REMEDIES[row.kind]}"
