"""What may be entered: the rules that one order has to keep by itself, each refusal with its field and the remedy."""

from __future__ import annotations

from collections.abc import Iterator

from crossrate.basics.instrument import Convention
from services.trading.domain import amounts
from services.trading.domain.order import TRIGGERED_TYPES, Amendment, OrderType, Terms, TimeInForce

Problem = tuple[str, str]
"""A field, and what is wrong with it in words."""

T, F = OrderType, TimeInForce
_LIMITED = (T.LIMIT, T.STOP_LIMIT)
_STOPPED = (T.STOP, T.STOP_LIMIT, T.MARKET_IF_TOUCHED)
_AT_ONCE = (F.IOC, F.FOK)
POINTS_PLACES = 1
"""Decimal places that swap points have more than spot."""
GTD_NS_MAX = 366 * 86_400 * 1_000_000_000
"""The farthest end of a GTD order."""


def problems(terms: Terms, convention: Convention, now_ns: int) -> list[Problem]:
    """Everything that is wrong with an order; empty if nothing is."""
    return [*_amounts(terms, convention), *_prices(terms, convention), *_times(terms, now_ns), *_kinds(terms)]


def amendment_problems(terms: Terms, new: Amendment, convention: Convention, now_ns: int) -> Iterator[Problem]:
    """Everything that is wrong with an amendment of an order with these terms."""
    kind = terms.order_type
    if new == Amendment():
        yield "", "changes nothing: give a quantity, a price, a distance or an expire_time"
    if new.quantity:
        if terms.swap:
            yield "quantity", "the quantities of a swap are not amended: cancel it, and enter another"
        yield from _quantity("quantity", new.quantity, convention)
    if new.limit_price is not None:
        if kind not in _LIMITED:
            yield "limit_price", f"a {kind.name} order has none: leave it empty"
        elif new.limit_price <= 0 and not terms.swap:
            yield "limit_price", f"a {kind.name} order needs one above zero"
        yield from _places("limit_price", new.limit_price, convention, terms.swap)
    if new.stop_price:
        if kind not in _STOPPED:
            yield "stop_price", f"a {kind.name} order has none: leave it empty"
        yield from _places("stop_price", new.stop_price, convention)
    if new.trailing_distance:
        if kind is not T.TRAILING_STOP:
            yield "trailing_distance", f"a {kind.name} order has none: leave it empty"
        yield from _places("trailing_distance", new.trailing_distance, convention)
    if new.expire_ns:
        if terms.time_in_force is not F.GTD:
            yield "expire_time", f"the order is {terms.time_in_force.name}: only a GTD order has an end of its own"
        yield from _end(new.expire_ns, now_ns)


def _quantity(field: str, quantity: int, convention: Convention) -> Iterator[Problem]:
    least, step = convention.min_quantity * amounts.QUANTITY_UNIT, convention.quantity_step * amounts.QUANTITY_UNIT
    if quantity < least:
        yield field, f"is below {convention.min_quantity}, the smallest of {convention.pair}"
    if quantity % step:
        yield field, f"is no multiple of {convention.quantity_step}, the step of {convention.pair}"


def _places(field: str, price: int, convention: Convention, points: bool = False) -> Iterator[Problem]:
    places = convention.price_places + (POINTS_PLACES if points else 0)
    if price % 10 ** (amounts.PRICE_PLACES - places):
        of = "those of swap points of" if points else "those of"
        yield field, f"has more than {places} decimal places, {of} {convention.pair}"


def _amounts(terms: Terms, convention: Convention) -> Iterator[Problem]:
    yield from _quantity("quantity", terms.quantity, convention)
    if terms.display_quantity:
        if terms.order_type not in _LIMITED:
            yield "display_quantity", "is for LIMIT and STOP_LIMIT orders: leave it empty"
        elif terms.time_in_force in _AT_ONCE:
            yield "display_quantity", "an order that is over at once shows nothing: leave it empty"
        elif terms.display_quantity > terms.quantity:
            yield "display_quantity", "is above quantity: show at most the whole order"
    if terms.min_quantity:
        if terms.time_in_force is not F.IOC:
            yield "min_quantity", "is for IOC orders: leave it empty, or use FOK for all or nothing"
        elif terms.min_quantity > terms.quantity:
            yield "min_quantity", "is above quantity: ask for at most the whole order"


def _prices(terms: Terms, convention: Convention) -> Iterator[Problem]:
    kind = terms.order_type
    yield from _limit(terms, convention)
    for field, price, wanted in (
        ("stop_price", terms.stop_price, kind in _STOPPED),
        ("trailing_distance", terms.trailing_distance, kind is T.TRAILING_STOP),
    ):
        if wanted and not price:
            yield field, f"a {kind.name} order needs one above zero"
        elif price and not wanted:
            yield field, f"a {kind.name} order has none: leave it empty"
        if price:
            yield from _places(field, price, convention)
    if terms.price_bound:
        if terms.swap:
            yield (
                "price_bound",
                "is a rate, and a swap has points: LIMIT with IOC bounds them by its limit_price",
            )
        elif kind in (*_LIMITED, T.PREVIOUSLY_QUOTED):
            yield "price_bound", f"a {kind.name} order deals at its own price: leave it empty"
        yield from _places("price_bound", terms.price_bound, convention)
    if terms.protection is not None:
        yield from _protection(terms, convention)


def _limit(terms: Terms, convention: Convention) -> Iterator[Problem]:
    kind, limit = terms.order_type, terms.limit_price
    if kind in _LIMITED:
        if terms.swap and limit is None:
            yield "limit_price", "a swap's is its limit on swap points, in units of the price: 0.00214, not pips"
        elif not terms.swap and (limit or 0) <= 0:
            yield "limit_price", f"a {kind.name} order needs one above zero"
    elif limit is not None:
        yield "limit_price", f"a {kind.name} order has none: leave it empty"
    if limit:
        yield from _places("limit_price", limit, convention, terms.swap)


def _protection(terms: Terms, convention: Convention) -> Iterator[Problem]:
    wanted = terms.protection
    assert wanted is not None
    if not (wanted.take_profit_price or wanted.stop_loss_price or wanted.trailing_distance):
        yield "on_fill", "protects nothing: give a take_profit_price, a stop_loss_price or a trailing_distance"
    if wanted.stop_loss_price and wanted.trailing_distance:
        yield "on_fill.trailing_distance", "not together with stop_loss_price: choose one"
    if terms.reduce_only:
        yield "on_fill", "a reduce_only order opens nothing that could be protected: leave it out"
    if terms.swap:
        yield "on_fill", "a swap opens no outright position: leave it out"
    for field in ("take_profit_price", "stop_loss_price", "trailing_distance"):
        yield from _places(f"on_fill.{field}", getattr(wanted, field), convention)
    profit, loss, limit = wanted.take_profit_price, wanted.stop_loss_price, terms.limit_price
    if profit and loss and (profit - loss) * terms.side <= 0:
        yield "on_fill.stop_loss_price", f"is {'above' if terms.side > 0 else 'below'} the take_profit_price: swap them"
    if limit and loss and (limit - loss) * terms.side <= 0:
        yield "on_fill.stop_loss_price", "would be reached where the order is filled: put it beyond limit_price"
    if limit and profit and (profit - limit) * terms.side <= 0:
        yield "on_fill.take_profit_price", "would be reached where the order is filled: put it beyond limit_price"


def _times(terms: Terms, now_ns: int) -> Iterator[Problem]:
    lasting = terms.time_in_force
    if terms.order_type in (T.MARKET, T.PREVIOUSLY_QUOTED) and lasting not in _AT_ONCE:
        yield "time_in_force", f"a {terms.order_type.name} order is over at once: use IOC or FOK"
    if terms.order_type in TRIGGERED_TYPES and lasting in _AT_ONCE:
        yield "time_in_force", "an order that waits for a price cannot be over at once: use GTC, DAY or GTD"
    if lasting is F.GTD and not terms.expire_ns:
        yield "expire_time", "a GTD order needs one"
    elif terms.expire_ns and lasting is not F.GTD:
        yield "expire_time", f"a {lasting.name} order has none: leave it unset, or use GTD"
    elif terms.expire_ns:
        yield from _end(terms.expire_ns, now_ns)


def _end(expire_ns: int, now_ns: int) -> Iterator[Problem]:
    if expire_ns <= now_ns:
        yield "expire_time", "is over: give one in the future"
    elif expire_ns > now_ns + GTD_NS_MAX:
        yield "expire_time", "is more than 366 days away: use GTC"


def _kinds(terms: Terms) -> Iterator[Problem]:
    kind = terms.order_type
    if terms.post_only and kind is not T.LIMIT:
        yield "post_only", "is for LIMIT orders"
    if terms.post_only and terms.time_in_force in _AT_ONCE:
        yield "post_only", "an order that is over at once can only take: use GTC, DAY or GTD"
    if kind is T.PREVIOUSLY_QUOTED and not terms.quote_id:
        yield "quote_id", "a PREVIOUSLY_QUOTED order needs the quote that it deals on: ask pricing's RequestQuote"
    elif terms.quote_id and kind is not T.PREVIOUSLY_QUOTED:
        yield "quote_id", "is for PREVIOUSLY_QUOTED orders: leave it empty"
    if terms.swap:
        if kind not in (T.MARKET, T.LIMIT, T.PREVIOUSLY_QUOTED):
            yield "order_type", "a swap is a MARKET, LIMIT or PREVIOUSLY_QUOTED order: nothing sets off a swap"
        if terms.reduce_only:
            yield "reduce_only", "a swap moves a position between dates and reduces nothing: leave it out"
        if terms.post_only or terms.display_quantity:
            yield "far_leg", "a swap does not rest in a book: leave out post_only and display_quantity"
        if terms.position_id:
            yield "position_id", "a swap closes no position: leave it empty"
