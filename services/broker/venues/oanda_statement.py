"""A statement of a venue that speaks the v20 API: the orders that are pending there, and what its accounts hold."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from services.broker.domain.amounts import QUANTITY_UNIT
from services.broker.domain.books import BUY, SELL, OwnOrder, StatedOrder
from services.broker.oanda.words import instrument_of
from services.broker.venues.oanda_http import Json, Unknown


def stated_of(account: str, order: Json) -> StatedOrder | None:
    """An order that enters a position, as a transaction or the list of pending ones has it; None for another one."""
    instrument = instrument_of(str(order.get("instrument", "")))
    if instrument is None or order.get("tradeID"):
        return None
    try:
        units = Decimal(str(order["units"]))
        price = Decimal(str(order["price"])) if order.get("price") else None
    except (KeyError, InvalidOperation):
        return None
    if not units.is_finite() or not units or (price is not None and not price.is_finite()):
        return None
    extensions = order.get("clientExtensions")
    own = str(extensions.get("id", "")) if isinstance(extensions, dict) else ""
    waits = str(order.get("type", "")).startswith(("STOP", "MARKET_IF_TOUCHED"))
    return StatedOrder(
        f"{account}/{order.get('id')}",
        own[:80],
        instrument,
        BUY if units > 0 else SELL,
        int(abs(units) * QUANTITY_UNIT),
        None if waits else price,
        0,
        trigger=price if waits else None,
    )


def known(stated: StatedOrder, own: OwnOrder | None) -> StatedOrder:
    """A stated order with what the API does not state: whose it is, and what was filled of it.

    The units of a replacement are what was left then, somewhere between what is left now and the whole.
    """
    if own is None:
        return stated
    quantity = stated.quantity
    if own.quantity - own.filled <= quantity <= own.quantity:
        quantity = own.quantity
    return StatedOrder(
        stated.venue_order_id,
        stated.client_id,
        stated.instrument,
        stated.side,
        quantity,
        stated.price,
        own.filled,
        own.order_id,
    )


def positions_of(told: Json) -> dict[str, int]:
    """What an account holds, by instrument in 1/10000 of the base unit, of the answer to `openPositions`.

    Raises:
        Unknown: a position cannot be read.
    """
    found: dict[str, int] = {}
    for each in told.get("positions") or []:
        try:
            instrument = instrument_of(str(each["instrument"]))
            units = sum(Decimal(str((each.get(side) or {}).get("units", "0"))) for side in ("long", "short"))
            if instrument is not None:
                found[instrument] = int(units * QUANTITY_UNIT)
        except (KeyError, AttributeError, TypeError, InvalidOperation, ValueError, OverflowError) as error:
            raise Unknown(f"a position of the venue cannot be read: {error!r}") from None
    return found
