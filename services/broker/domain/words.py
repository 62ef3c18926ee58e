"""Findings in words: what differs, by how much, what each book says, and what can be done."""

from __future__ import annotations

from dataclasses import replace

from services.broker.domain.amounts import price_text, quantity_text
from services.broker.domain.books import BUY, Fill, OwnOrder, StatedOrder
from services.broker.domain.breaks import ACTIONS, Action, Finding, Kind, Says


def _side(side: int) -> str:
    return "buy" if side == BUY else "sell"


def _deal(fill: Fill) -> str:
    return f"{_side(fill.side)} {quantity_text(fill.quantity)} {fill.instrument} at {price_text(fill.price)}"


def _says(book: str, fill: Fill | None) -> Says:
    if fill is None:
        return Says(book, False)
    return Says(book, True, fill.side, fill.quantity, None, price_text(fill.price))


def since(finding: Finding, since_ns: int) -> Finding:
    """The same, seen since another moment."""
    return replace(finding, since_ns=since_ns)


def fill(kind: Kind, root: str, ours: Fill | None, theirs: Fill | None, since_ns: int, twin: str = "") -> Finding:
    """A fill that differs between our book and the drop copy."""
    either = ours or theirs
    assert either is not None
    match kind:
        case Kind.MISSING_FILL:
            text = f"the venue dealt {_deal(either)}, and we were not told: adopt the fill"
        case Kind.UNKNOWN_FILL:
            text = f"we were told {_deal(either)}, and the venue does not have it: reverse the fill"
        case Kind.DUPLICATE_FILL:
            text = f"{_deal(either)} was told twice, also as {twin}, and the venue has it once: reverse the fill"
        case _:
            assert ours is not None
            assert theirs is not None
            text = f"we were told {_deal(ours)}, the venue has {_deal(theirs)}: book what the venue has"
    return Finding(
        kind,
        f"fill:{root}",
        either.instrument,
        text,
        (_says("broker", ours), _says("drop_copy", theirs)),
        since_ns,
        account=(ours.account if ours else "") or either.account,
        order_id=(ours.order_id if ours else "") or either.order_id,
        venue_order_id=either.venue_order_id or (theirs.venue_order_id if theirs else ""),
        exec_id=root,
        actions=ACTIONS[kind],
    )


def unbooked(ours: Fill, says: Fill | None, since_ns: int) -> Finding:
    """A fill of ours that trading does not have, or has otherwise."""
    has = f"trading has {_deal(says)}" if says is not None else "trading does not have it"
    return Finding(
        Kind.NOT_BOOKED,
        f"booked:{ours.exec_id}",
        ours.instrument,
        f"broker has told {_deal(ours)}, and {has}: adopt the fill, so that it is booked on an order of its own",
        (_says("broker", ours), _says("trading", says)),
        since_ns,
        account=ours.account,
        order_id=ours.order_id,
        venue_order_id=ours.venue_order_id,
        exec_id=ours.exec_id,
        # One that trading has otherwise is not booked a second time.
        actions=ACTIONS[Kind.NOT_BOOKED] if says is None else (Action.ACCEPT,),
    )


def unledgered(ours: Fill, says: Fill | None, fault: str, since_ns: int) -> Finding:
    """A fill that trading has and the ledger does not, or has otherwise."""
    has = f"the ledger has {_deal(says)}" if says is not None else "the ledger does not have it"
    has += f" ({fault})" if fault else ""
    return Finding(
        Kind.NOT_IN_LEDGER,
        f"ledger:{ours.exec_id}",
        ours.instrument,
        f"broker and trading have {_deal(ours)}, and {has}: open or repair account {ours.account}, and it is booked",
        (_says("broker", ours), _says("trading", ours), _says("ledger", says)),
        since_ns,
        account=ours.account,
        order_id=ours.order_id,
        venue_order_id=ours.venue_order_id,
        exec_id=ours.exec_id,
        actions=ACTIONS[Kind.NOT_IN_LEDGER],
    )


def _order_says(own: OwnOrder | None, stated: StatedOrder | None) -> tuple[Says, Says]:
    here = Says("broker", False)
    if own is not None:
        price = price_text(own.price) if own.price is not None else ""
        here = Says("broker", True, own.side, own.quantity or None, own.filled, price, own.status)
    there = Says("statement", False)
    if stated is not None:
        price = price_text(stated.price) if stated.price is not None else ""
        there = Says("statement", True, stated.side, stated.quantity, stated.filled, price, stated.status)
    return here, there


def order(
    kind: Kind, own: OwnOrder | None, stated: StatedOrder | None, actions: tuple[Action, ...] | None = None
) -> Finding:
    """An order that differs between broker and the venue's statement."""
    either = own or stated
    assert either is not None
    venue_order_id = (stated.venue_order_id if stated else "") or either.venue_order_id
    match kind:
        case Kind.MISSING_AT_VENUE:
            text = "the order works here, and the venue does not have it: end it here"
        case Kind.UNKNOWN_HERE:
            text = "an order works at the venue that nobody here sent: adopt it, or cancel it there"
        case Kind.STATE:
            text = "the order has ended here, and works at the venue: cancel it there"
        case _:
            text = f"the {kind.name.lower()} of the order differs: cancel it at the venue, and enter it anew"
    return Finding(
        kind,
        f"order:{own.order_id if own else venue_order_id}",
        either.instrument,
        text,
        _order_says(own, stated),
        0,
        account=own.account if own else "",
        order_id=own.order_id if own else "",
        venue_order_id=venue_order_id,
        actions=ACTIONS[kind] if actions is None else actions,
    )


def late(own: OwnOrder) -> Finding:
    """An order that is not answered."""
    return Finding(
        Kind.LATE,
        f"order:{own.order_id}",
        own.instrument,
        "something was sent about the order, and the venue has not answered: ask the venue's desk",
        (Says("broker", True, own.side, own.quantity or None, own.filled, "", own.status),),
        0,
        account=own.account,
        order_id=own.order_id,
        venue_order_id=own.venue_order_id,
        actions=ACTIONS[Kind.LATE],
    )


def position(instrument: str, ours: int, copied: int | None, states: int) -> Finding:
    """A position that no fill explains; `copied` is None at a venue without a drop copy."""
    told = signed_text(ours if copied is None else copied)
    text = (
        f"the venue states a position of {signed_text(states)}, its fills add up to {told}: "
        "ask for what is missing; what nobody can tell is booked at a price that two persons agree on"
    )
    books = (
        Says("broker", True, 0, ours),
        *([Says("drop_copy", True, 0, copied)] if copied is not None else []),
        Says("statement", True, 0, states),
    )
    return Finding(Kind.POSITION, f"position:{instrument}", instrument, text, books, 0, actions=ACTIONS[Kind.POSITION])


def signed_text(quantity: int) -> str:
    """A quantity with its sign as the contract has it."""
    return f"-{quantity_text(-quantity)}" if quantity < 0 else quantity_text(quantity)
