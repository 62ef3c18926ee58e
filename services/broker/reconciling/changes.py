"""What happens to a break when its difference appears, moves or goes."""

from __future__ import annotations

import asyncpg

from crossrate.api.broker.v1 import break_pb2 as pb
from services.broker.domain.amounts import quantity_text
from services.broker.domain.books import BUY
from services.broker.domain.breaks import GATES, Finding, Says
from services.broker.domain.words import signed_text
from services.broker.store.breaks import KeptBreak, lock, step

ACCEPTED, CORRECTED, HEALED = "accepted", "corrected", "healed"


class Moved(Exception):
    """Somebody else has changed a break meanwhile: what is to be done with it is looked at again."""


def of_finding(known: KeptBreak | None, venue: str, finding: Finding, now_ns: int) -> KeptBreak | None:
    """A break by its difference as it stands; None if there is nothing to write."""
    if known is not None and known.open:
        if known.evidence == finding.evidence:
            return None
        known.evidence = finding.evidence
        _describe(known.message, finding)
        step(known.message, "changed", finding.text, now_ns)
        return known
    if known is not None and known.message.resolution == ACCEPTED and known.evidence == finding.evidence:
        return None  # two persons said that this difference is explained
    message = known.message if known is not None else pb.Break(break_id=finding.of(venue), venue=venue)
    message.type = finding.kind.value
    _describe(message, finding)
    message.state, message.resolution = pb.BREAK_STATE_OPEN, ""
    message.ClearField("close_time")
    message.ClearField("correction")
    message.first_seen_time.FromNanoseconds(finding.since_ns)
    message.open_time.FromNanoseconds(now_ns)
    message.openings += 1
    step(message, "reopened" if message.openings > 1 else "opened", finding.text, now_ns)
    return KeptBreak(message, finding.subject, finding.evidence)


def _describe(message: pb.Break, finding: Finding) -> None:
    message.instrument, message.account = finding.instrument, finding.account
    message.order_id, message.venue_order_id = finding.order_id, finding.venue_order_id
    message.venue_exec_id, message.text = finding.exec_id, finding.text
    mode = GATES.get(finding.kind)
    if mode is not None:
        message.gate = mode.value
    del message.books[:]
    for each in finding.books:
        message.books.append(_book(each))
    del message.actions[:]
    message.actions.extend(each.value for each in finding.actions)


def _book(says: Says) -> pb.BookSays:
    return pb.BookSays(
        book=says.book,
        present=says.present,
        side="" if not says.side else "BUY" if says.side == BUY else "SELL",
        quantity="" if says.quantity is None else signed_text(says.quantity),
        filled_quantity="" if says.filled is None else quantity_text(says.filled),
        price=says.price,
        status=says.status,
    )


def heal(kept: KeptBreak, now_ns: int) -> None:
    """The books agree."""
    message = kept.message
    correction = message.correction if message.HasField("correction") else None
    corrected = correction is not None and correction.state == pb.BREAK_CORRECTION_STATE_DONE
    if correction is not None and correction.state in (
        pb.BREAK_CORRECTION_STATE_PROPOSED,
        pb.BREAK_CORRECTION_STATE_APPROVED,
    ):
        correction.state = pb.BREAK_CORRECTION_STATE_NEEDLESS
        correction.outcome = "the books agreed before it was done"
    close(message, CORRECTED if corrected else HEALED, now_ns)
    step(message, CORRECTED if corrected else HEALED, "the books agree", now_ns)


def close(message: pb.Break, resolution: str, now_ns: int) -> None:
    """It is over."""
    message.state, message.resolution = pb.BREAK_STATE_CLOSED, resolution
    message.close_time.FromNanoseconds(now_ns)


async def lock_unchanged(connection: asyncpg.Connection, kept: KeptBreak) -> None:
    """Holds a break that is about to be written.

    Raises:
        Moved: it is not as it was read: somebody has proposed or decided something.
    """
    known = await lock(connection, kept.message.break_id)
    if known is not None and known.message.change != kept.message.change:
        raise Moved(kept.message.break_id)
