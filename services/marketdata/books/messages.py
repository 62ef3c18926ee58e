"""Books of the domain as messages of the contract, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crossrate.api.marketdata.v1 import book_pb2 as pb
from services.marketdata.domain.book import Action, Gap
from services.marketdata.domain.composite_book import SharedLevel, ShownBook, Venues

NANOSECONDS = 1_000_000_000
REASON_CHARS_MAX = 200


def nanoseconds(stamp: Any) -> int:
    """A timestamp as nanoseconds since 1970 UTC."""
    return stamp.seconds * NANOSECONDS + stamp.nanos


def stamp(message: Any, venue_ns: int, receive_ns: int) -> None:
    """Sets both times of a message."""
    venue, receive = message.venue_time, message.receive_time
    venue.seconds, venue.nanos = divmod(venue_ns, NANOSECONDS)
    receive.seconds, receive.nanos = divmod(receive_ns, NANOSECONDS)


def gap_message(gap: Gap) -> pb.BookGap:
    """What is missing."""
    made = pb.BookGap(
        expected_sequence=gap.expected, received_sequence=gap.received, reason=gap.reason[:REASON_CHARS_MAX]
    )
    made.detect_time.FromNanoseconds(gap.detected_at)
    return made


def venues_message(venues: Venues) -> list[pb.VenueQuantity]:
    """Who shows or gives how much."""
    return [pb.VenueQuantity(source=source, quantity=quantity) for source, quantity in venues]


def book_message(name: str, shown: ShownBook, venue_sequence: int = 0, gap: pb.BookGap | None = None) -> pb.Book:
    """A whole book."""
    made = pb.Book(
        instrument=name,
        source=shown.source,
        sequence=shown.sequence,
        health=int(shown.health),
        bids=_levels(shown.bids),
        asks=_levels(shown.asks),
        venue_sequence=venue_sequence,
        gap=gap,
    )
    stamp(made, shown.venue_time, shown.receive_time)
    return made


def _levels(levels: Iterable[SharedLevel]) -> list[pb.BookLevel]:
    return [
        pb.BookLevel(price=price, quantity=quantity, venues=venues_message(venues))
        if venues
        else pb.BookLevel(price=price, quantity=quantity)
        for price, quantity, venues in levels
    ]


def update_messages(changes: Iterable[tuple[Action, float, float]]) -> list[pb.BookLevelUpdate]:
    """What happened to levels of one venue."""
    return [pb.BookLevelUpdate(action=int(action), price=price, quantity=q) for action, price, q in changes]


def shared_update_messages(old: Sequence[SharedLevel], new: Sequence[SharedLevel]) -> list[pb.BookLevelUpdate]:
    """What makes one state of a side another, deletions first."""
    before = {level.price: level for level in old}
    after = {level.price for level in new}
    updates = [pb.BookLevelUpdate(action=int(Action.DELETE), price=p) for p in before if p not in after]
    for level in new:
        was = before.get(level.price)
        if was == level:
            continue
        updates.append(
            pb.BookLevelUpdate(
                action=int(Action.NEW if was is None else Action.CHANGE),
                price=level.price,
                quantity=level.quantity,
                venues=venues_message(level.venues),
            )
        )
    return updates
